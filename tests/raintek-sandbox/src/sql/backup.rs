//! BACKUP, RESTORE and DROP DATABASE, as far as a client that backs a shop up says them.

use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::error::{SqlError, SqlResult};

/// One of these statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Copying {
    Backup { database: String, file: String, name: String, checksum: bool },
    VerifyOnly { file: String },
    HeaderOnly { file: String },
    FileListOnly { file: String },
    Restore { database: String, file: String, moves: Vec<(String, String)>, replace: bool },
    Drop { database: String },
}

/// What may stand behind WITH.
#[derive(Debug, Default)]
struct Options {
    words: Vec<String>,
    name: String,
    moves: Vec<(String, String)>,
}

impl Options {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|there| there == word)
    }
}

/// Reads one; the parser stands before its first word.
pub(crate) fn parse(parser: &mut Parser<'_>) -> SqlResult<Copying> {
    let verb = next_word(parser);
    let what = next_word(parser);
    match (verb.as_str(), what.as_str()) {
        ("BACKUP", "DATABASE") => {
            let database = next_name(parser)?;
            expect(parser, "TO")?;
            let file = disk(parser)?;
            let options = options(parser, &["COPY_ONLY", "CHECKSUM", "INIT", "FORMAT", "SKIP"])?;
            if !options.has("FORMAT") || !options.has("INIT") || !options.has("COPY_ONLY") {
                // a second backup set in one file, and a break of the shop's own chain of backups
                return Err(SqlError::unsupported("BACKUP without COPY_ONLY, INIT and FORMAT"));
            }
            let checksum = options.has("CHECKSUM");
            Ok(Copying::Backup { database, file, name: options.name, checksum })
        }
        ("RESTORE", "DATABASE") => {
            let database = next_name(parser)?;
            expect(parser, "FROM")?;
            let file = disk(parser)?;
            let options = options(parser, &["REPLACE", "RECOVERY", "CHECKSUM"])?;
            let replace = options.has("REPLACE");
            Ok(Copying::Restore { database, file, moves: options.moves, replace })
        }
        ("RESTORE", kind @ ("VERIFYONLY" | "HEADERONLY" | "FILELISTONLY")) => {
            expect(parser, "FROM")?;
            let file = disk(parser)?;
            options(parser, &["CHECKSUM"])?;
            Ok(match kind {
                "VERIFYONLY" => Copying::VerifyOnly { file },
                "HEADERONLY" => Copying::HeaderOnly { file },
                _ => Copying::FileListOnly { file },
            })
        }
        ("DROP", "DATABASE") => Ok(Copying::Drop { database: next_name(parser)? }),
        _ => Err(SqlError::unsupported(format!("{verb} {what}"))),
    }
}

fn options(parser: &mut Parser<'_>, known: &[&str]) -> SqlResult<Options> {
    let mut options = Options::default();
    if peek(parser) != "WITH" {
        return Ok(options);
    }
    parser.advance_token();
    loop {
        let word = next_word(parser);
        match word.as_str() {
            "NAME" | "STATS" => {
                if !parser.consume_token(&Token::Eq) {
                    return Err(SqlError::syntax(peek(parser)));
                }
                if word == "NAME" {
                    options.name = text(parser)?;
                } else {
                    parser.advance_token();
                }
            }
            "MOVE" => {
                let logical = text(parser)?;
                expect(parser, "TO")?;
                options.moves.push((logical, text(parser)?));
            }
            _ if known.contains(&word.as_str()) => options.words.push(word),
            _ => {
                return Err(SqlError::new(155, 15, format!("'{word}' is not a recognized option.")));
            }
        }
        if !parser.consume_token(&Token::Comma) {
            return Ok(options);
        }
    }
}

fn disk(parser: &mut Parser<'_>) -> SqlResult<String> {
    expect(parser, "DISK")?;
    if !parser.consume_token(&Token::Eq) {
        return Err(SqlError::syntax(peek(parser)));
    }
    text(parser)
}

fn text(parser: &mut Parser<'_>) -> SqlResult<String> {
    match parser.next_token().token {
        Token::SingleQuotedString(text) | Token::NationalStringLiteral(text) => Ok(text),
        other => Err(SqlError::syntax(other)),
    }
}

fn next_name(parser: &mut Parser<'_>) -> SqlResult<String> {
    match parser.next_token().token {
        Token::Word(word) => Ok(word.value),
        other => Err(SqlError::syntax(other)),
    }
}

fn expect(parser: &mut Parser<'_>, word: &str) -> SqlResult<()> {
    if peek(parser) == word {
        parser.advance_token();
        return Ok(());
    }
    Err(SqlError::syntax(peek(parser)))
}

fn peek(parser: &Parser<'_>) -> String {
    parser.peek_token_ref().token.to_string().to_ascii_uppercase()
}

fn next_word(parser: &mut Parser<'_>) -> String {
    let word = peek(parser);
    parser.advance_token();
    word
}
