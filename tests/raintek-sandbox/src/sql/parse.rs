//! One batch of T-SQL into statements. sqlparser reads the queries; the few statements it does not know
//! (`EXEC @r = proc`, SET options, BEGIN TRAN) have a line of their own here.

use sqlparser::ast::{
    AlterTableOperation, ColumnDef, CreateIndex, CreateTable, Delete, Expr, Insert, Query, Update,
};
use sqlparser::ast::{SetExpr, Statement};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::backup::{self, Copying};
use super::error::{SqlError, SqlResult};
use super::types::{self, Ty};

/// A setting of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setting {
    XactAbort(bool),
    NoCount(bool),
    /// Milliseconds; below 0 waits for ever.
    LockTimeout(i64),
    IdentityInsert(String, bool),
    /// Known, and without an effect here.
    Nothing,
}

/// An argument of EXEC.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) value: Expr,
}

/// One statement.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Select(Box<Query>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Declare(Vec<(String, Ty, Option<Expr>)>),
    DeclareTable(String, Vec<ColumnDef>),
    Assign(String, Expr),
    Set(Setting),
    If(Expr, Vec<Parsed>, Vec<Parsed>),
    Block(Vec<Parsed>),
    Begin,
    Commit,
    Rollback,
    Exec { result: Option<String>, procedure: String, arguments: Vec<Argument> },
    RaisError(Vec<Expr>),
    Print(Expr),
    Use(String),
    Return,
    CreateTable(Box<CreateTable>),
    CreateIndex(Box<CreateIndex>),
    Alter(String, Box<AlterTableOperation>),
    Copying(Copying),
}

/// A statement with its own text, which the control endpoint can match.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    pub(crate) node: Node,
    pub(crate) text: String,
    pub(crate) line: u32,
}

/// Reads a batch.
pub(crate) fn batch(sql: &str) -> SqlResult<Vec<Parsed>> {
    let dialect = MsSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|error| {
        SqlError::new(105, 15, format!("Unclosed quotation mark or comment: {}.", error.message))
    })?;
    let mut reader =
        Reader { parser: Parser::new(&dialect).with_tokens_with_locations(tokens.clone()), tokens };
    let mut statements = Vec::new();
    loop {
        while reader.parser.consume_token(&Token::SemiColon) {}
        if reader.parser.peek_token_ref().token == Token::EOF {
            return Ok(statements);
        }
        statements.push(reader.statement()?);
    }
}

struct Reader<'a> {
    parser: Parser<'a>,
    tokens: Vec<TokenWithSpan>,
}

impl Reader<'_> {
    fn statement(&mut self) -> SqlResult<Parsed> {
        let first = self.parser.index();
        let line = u32::try_from(self.parser.peek_token_ref().span.start.line).unwrap_or(0);
        let node = self.node()?;
        let text: String = self
            .tokens
            .get(first..self.parser.index())
            .unwrap_or_default()
            .iter()
            .map(|t| t.token.to_string())
            .collect();
        Ok(Parsed { node, text: text.trim().to_owned(), line })
    }

    fn node(&mut self) -> SqlResult<Node> {
        let token = self.parser.peek_token();
        let Token::Word(word) = &token.token else { return Err(SqlError::syntax(&token)) };
        let name = word.value.to_ascii_uppercase();
        match (word.keyword, name.as_str()) {
            (Keyword::SELECT | Keyword::INSERT | Keyword::UPDATE | Keyword::DELETE | Keyword::WITH, _)
            | (Keyword::CREATE | Keyword::ALTER, _) => self.known(),
            (Keyword::IF, _) => {
                self.parser.advance_token();
                let condition = self.expr()?;
                let then = self.branch()?;
                // a semicolon may stand before ELSE
                let separated = self.parser.peek_token_ref().token == Token::SemiColon
                    && matches!(&self.parser.peek_nth_token_ref(1).token, Token::Word(w) if w.keyword == Keyword::ELSE);
                if separated {
                    self.parser.advance_token();
                }
                let otherwise =
                    if self.parser.parse_keyword(Keyword::ELSE) { self.branch()? } else { Vec::new() };
                Ok(Node::If(condition, then, otherwise))
            }
            (Keyword::BEGIN, _) => {
                self.parser.advance_token();
                if self.transaction_word() {
                    return Ok(Node::Begin);
                }
                if matches!(self.word().as_str(), "TRY" | "CATCH") {
                    return Err(SqlError::unsupported("BEGIN TRY"));
                }
                let mut statements = Vec::new();
                loop {
                    while self.parser.consume_token(&Token::SemiColon) {}
                    if self.parser.parse_keyword(Keyword::END) {
                        return Ok(Node::Block(statements));
                    }
                    statements.push(self.statement()?);
                }
            }
            (Keyword::COMMIT, _) => {
                self.parser.advance_token();
                self.transaction_word();
                Ok(Node::Commit)
            }
            (Keyword::ROLLBACK, _) => {
                self.parser.advance_token();
                self.transaction_word();
                Ok(Node::Rollback)
            }
            (Keyword::DECLARE, _) => {
                self.parser.advance_token();
                self.declare()
            }
            (Keyword::SET, _) => {
                self.parser.advance_token();
                self.set()
            }
            (Keyword::EXEC | Keyword::EXECUTE, _) => {
                self.parser.advance_token();
                self.exec()
            }
            (_, "RAISERROR") => {
                self.parser.advance_token();
                self.expect(&Token::LParen)?;
                let arguments = self.parser.parse_comma_separated(Parser::parse_expr).map_err(near)?;
                self.expect(&Token::RParen)?;
                Ok(Node::RaisError(arguments))
            }
            (_, "PRINT") => {
                self.parser.advance_token();
                Ok(Node::Print(self.expr()?))
            }
            (_, "USE") => {
                self.parser.advance_token();
                Ok(Node::Use(self.identifier()?))
            }
            (_, "RETURN") => {
                self.parser.advance_token();
                Ok(Node::Return)
            }
            (_, "BACKUP" | "RESTORE" | "DROP") => Ok(Node::Copying(backup::parse(&mut self.parser)?)),
            (_, "SAVE" | "WHILE" | "WAITFOR" | "MERGE" | "TRUNCATE" | "GOTO") => {
                Err(SqlError::unsupported(name))
            }
            _ => Err(SqlError::syntax(&word.value)),
        }
    }

    /// What sqlparser reads by itself.
    fn known(&mut self) -> SqlResult<Node> {
        let statement = self.parser.parse_statement().map_err(near)?;
        let from_query = |query: Box<Query>| match *query.body {
            SetExpr::Insert(Statement::Insert(insert)) => Node::Insert(Box::new(insert)),
            SetExpr::Update(Statement::Update(update)) => Node::Update(Box::new(update)),
            SetExpr::Delete(Statement::Delete(delete)) => Node::Delete(Box::new(delete)),
            _ => Node::Select(query),
        };
        Ok(match statement {
            Statement::Query(query) => from_query(query),
            Statement::Insert(insert) => Node::Insert(Box::new(insert)),
            Statement::Update(update) => Node::Update(Box::new(update)),
            Statement::Delete(delete) => Node::Delete(Box::new(delete)),
            Statement::CreateTable(table) => Node::CreateTable(Box::new(table)),
            Statement::CreateIndex(index) => Node::CreateIndex(Box::new(index)),
            Statement::AlterTable(mut alter) if alter.operations.len() == 1 => match alter.operations.pop() {
                Some(operation) => Node::Alter(types::last_name(&alter.name), Box::new(operation)),
                None => return Err(SqlError::unsupported("ALTER TABLE")),
            },
            other => return Err(SqlError::unsupported(other)),
        })
    }

    fn branch(&mut self) -> SqlResult<Vec<Parsed>> {
        let statement = self.statement()?;
        Ok(match statement.node {
            Node::Block(statements) => statements,
            _ => vec![statement],
        })
    }

    fn declare(&mut self) -> SqlResult<Node> {
        let mut variables = Vec::new();
        loop {
            let name = self.variable()?;
            let _ = self.parser.parse_keyword(Keyword::AS);
            if self.parser.parse_keyword(Keyword::TABLE) {
                let (columns, _) = self.parser.parse_columns().map_err(near)?;
                return Ok(Node::DeclareTable(name, columns));
            }
            let ty = types::from_ast(&self.parser.parse_data_type().map_err(near)?)?;
            let value = if self.parser.consume_token(&Token::Eq) { Some(self.expr()?) } else { None };
            variables.push((name, ty, value));
            if !self.parser.consume_token(&Token::Comma) {
                return Ok(Node::Declare(variables));
            }
        }
    }

    fn set(&mut self) -> SqlResult<Node> {
        let name = self.identifier()?;
        if name.starts_with('@') {
            self.expect(&Token::Eq)?;
            return Ok(Node::Assign(name.to_lowercase(), self.expr()?));
        }
        let setting = match name.to_ascii_uppercase().as_str() {
            "XACT_ABORT" => Setting::XactAbort(self.on_or_off()?),
            "NOCOUNT" => Setting::NoCount(self.on_or_off()?),
            "LOCK_TIMEOUT" => {
                let negative = self.parser.consume_token(&Token::Minus);
                let number: i64 = self.word().parse().map_err(|_| SqlError::syntax("LOCK_TIMEOUT"))?;
                self.parser.advance_token();
                Setting::LockTimeout(if negative { -number } else { number })
            }
            "IDENTITY_INSERT" => {
                let table = types::last_name(&self.parser.parse_object_name(false).map_err(near)?);
                Setting::IdentityInsert(table, self.on_or_off()?)
            }
            "ANSI_NULLS"
            | "ANSI_WARNINGS"
            | "ANSI_PADDING"
            | "ANSI_NULL_DFLT_ON"
            | "QUOTED_IDENTIFIER"
            | "CONCAT_NULL_YIELDS_NULL"
            | "ARITHABORT" => {
                if !self.on_or_off()? {
                    return Err(SqlError::unsupported(format!("SET {name} OFF")));
                }
                Setting::Nothing
            }
            "IMPLICIT_TRANSACTIONS" | "CURSOR_CLOSE_ON_COMMIT" => {
                if self.on_or_off()? {
                    return Err(SqlError::unsupported(format!("SET {name} ON")));
                }
                Setting::Nothing
            }
            "TEXTSIZE" => {
                self.parser.advance_token();
                Setting::Nothing
            }
            "TRANSACTION" => self.isolation()?,
            _ => return Err(SqlError::new(195, 15, format!("'{name}' is not a recognized SET option."))),
        };
        Ok(Node::Set(setting))
    }

    fn isolation(&mut self) -> SqlResult<Setting> {
        for expected in ["ISOLATION", "LEVEL", "READ"] {
            if self.word() != expected {
                return Err(SqlError::unsupported(format!("SET TRANSACTION {}", self.word())));
            }
            self.parser.advance_token();
        }
        self.parser.advance_token();
        Ok(Setting::Nothing)
    }

    fn exec(&mut self) -> SqlResult<Node> {
        let mut procedure = self.parser.parse_object_name(false).map_err(near)?;
        let mut result = None;
        if self.parser.consume_token(&Token::Eq) {
            result = Some(types::last_name(&procedure).to_lowercase());
            procedure = self.parser.parse_object_name(false).map_err(near)?;
        }
        let mut arguments = Vec::new();
        let ends = |parser: &Parser<'_>| {
            matches!(&parser.peek_token_ref().token, Token::SemiColon | Token::EOF)
                || matches!(&parser.peek_token_ref().token, Token::Word(w) if w.keyword != Keyword::NoKeyword && w.quote_style.is_none() && w.keyword != Keyword::NULL)
        };
        while !ends(&self.parser) {
            let named = matches!(&self.parser.peek_token_ref().token, Token::Word(w) if w.value.starts_with('@'))
                && self.parser.peek_nth_token_ref(1).token == Token::Eq;
            let name = if named {
                let name = self.variable()?;
                self.parser.advance_token();
                Some(name)
            } else {
                None
            };
            // a bare word is a text here, as in sp_getapplock x, Exclusive
            arguments.push(Argument { name, value: self.expr()? });
            if matches!(self.word().as_str(), "OUTPUT" | "OUT") {
                return Err(SqlError::unsupported("EXEC ... OUTPUT"));
            }
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        Ok(Node::Exec { result, procedure: types::last_name(&procedure).to_lowercase(), arguments })
    }

    /// TRAN or TRANSACTION, with a name nobody needs.
    fn transaction_word(&mut self) -> bool {
        let found = self
            .parser
            .parse_one_of_keywords(&[Keyword::TRAN, Keyword::TRANSACTION, Keyword::WORK])
            .is_some();
        if found
            && matches!(&self.parser.peek_token_ref().token, Token::Word(w) if w.keyword == Keyword::NoKeyword && !w.value.starts_with('@'))
        {
            self.parser.advance_token();
        }
        found
    }

    fn on_or_off(&mut self) -> SqlResult<bool> {
        let word = self.word();
        self.parser.advance_token();
        match word.as_str() {
            "ON" => Ok(true),
            "OFF" => Ok(false),
            _ => Err(SqlError::syntax(word)),
        }
    }

    /// The next token in capitals, not yet taken.
    fn word(&self) -> String {
        self.parser.peek_token_ref().token.to_string().to_ascii_uppercase()
    }

    fn variable(&mut self) -> SqlResult<String> {
        let name = self.identifier()?;
        if name.starts_with('@') { Ok(name.to_lowercase()) } else { Err(SqlError::syntax(name)) }
    }

    fn identifier(&mut self) -> SqlResult<String> {
        self.parser.parse_identifier().map(|ident| ident.value).map_err(near)
    }

    fn expr(&mut self) -> SqlResult<Expr> {
        self.parser.parse_expr().map_err(near)
    }

    fn expect(&mut self, token: &Token) -> SqlResult<()> {
        self.parser.expect_token(token).map(|_| ()).map_err(near)
    }
}

/// sqlparser's complaint as error 102.
fn near(error: ParserError) -> SqlError {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text,
        ParserError::RecursionLimitExceeded => "nesting".to_owned(),
    };
    let found = text.split("found: ").nth(1).unwrap_or(&text);
    SqlError::syntax(found.split(" at Line").next().unwrap_or(found))
}

/// The parameters sp_executesql declares, e.g. `@P1 nvarchar(4000),@P2 int`.
pub(crate) fn declarations(text: &str) -> SqlResult<Vec<(String, Ty)>> {
    let dialect = MsSqlDialect {};
    let tokens =
        Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|_| SqlError::syntax(text))?;
    let mut reader =
        Reader { parser: Parser::new(&dialect).with_tokens_with_locations(tokens), tokens: Vec::new() };
    let mut found = Vec::new();
    while reader.parser.peek_token_ref().token != Token::EOF {
        let name = reader.variable()?;
        found.push((name, types::from_ast(&reader.parser.parse_data_type().map_err(near)?)?));
        if matches!(reader.word().as_str(), "OUTPUT" | "OUT") {
            return Err(SqlError::unsupported("OUTPUT parameters"));
        }
        if !reader.parser.consume_token(&Token::Comma) && reader.parser.peek_token_ref().token != Token::EOF {
            return Err(SqlError::syntax(reader.word()));
        }
    }
    Ok(found)
}
