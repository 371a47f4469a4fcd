//! Reads the paths that one source file names, each resolved to start at `crate` or at a library.

use std::collections::HashMap;
use std::str::FromStr as _;

use proc_macro2::{Ident, TokenStream, TokenTree};

/// What one file says of itself.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) file: String,
    /// The top-level module that the file belongs to; `lib` and `main` for the roots.
    pub(crate) top: String,
    pub(crate) found: Vec<Found>,
    /// Modules under `#[cfg(test)]`, those in files of their own included.
    pub(crate) test_modules: Vec<Vec<String>>,
    /// Names that a `use` of this file brings in, and what each stands for.
    names: HashMap<String, Vec<String>>,
}

/// One path, where it stands.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) line: usize,
    /// The module it stands in, without `crate`.
    pub(crate) within: Vec<String>,
    pub(crate) path: Vec<String>,
}

impl Scan {
    /// Reads a file of `src/`.
    pub(crate) fn of(file: &str, text: &str) -> Self {
        let mut module = module_of(file);
        let top = module.first().cloned().unwrap_or_default();
        if top == "lib" || top == "main" {
            module.clear();
        }
        let mut scan = Self { file: file.to_owned(), top, ..Self::default() };
        let tokens = TokenStream::from_str(text).unwrap_or_else(|error| panic!("{file} is no Rust: {error}"));
        scan.tokens(tokens, &module);
        scan.expand_names();
        scan
    }

    fn tokens(&mut self, stream: TokenStream, module: &[String]) {
        let tokens: Vec<_> = stream.into_iter().collect();
        let mut rest = tokens.as_slice();
        // What the attributes say of the module that may follow them.
        let mut for_tests = false;
        let mut elsewhere = None;
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            match token {
                TokenTree::Group(group) => {
                    for_tests |= is_cfg_test(group.stream());
                    elsewhere = path_attribute(group.stream()).or(elsewhere);
                    self.tokens(group.stream(), module);
                }
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let path = text.trim_matches('"');
                    if path.starts_with("crate::") {
                        self.add(
                            literal.span().start().line,
                            module,
                            path.split("::").map(str::to_owned).collect(),
                        );
                    }
                }
                TokenTree::Ident(word) if word == "mod" => {
                    rest = self.module(rest, module, for_tests, elsewhere.take());
                    for_tests = false;
                }
                TokenTree::Ident(word) if word == "use" && !is_punct(rest.first(), '<') => {
                    let end = rest.iter().position(|token| is_punct(Some(token), ';')).unwrap_or(rest.len());
                    let (tree, after) = rest.split_at(end);
                    self.import(tree, &[], module, word.span().start().line);
                    rest = after;
                }
                TokenTree::Ident(word) if word == "extern" => rest = self.extern_crate(rest, module),
                TokenTree::Ident(word) => {
                    for_tests &= word == "pub";
                    rest = self.inline_path(word, rest, module);
                }
                TokenTree::Punct(punct) => for_tests &= punct.as_char() != ';',
            }
        }
    }

    /// After `mod`: its name, and its body where it has one here. `elsewhere` is what its `#[path]` says.
    fn module<'a>(
        &mut self,
        rest: &'a [TokenTree],
        module: &[String],
        for_tests: bool,
        elsewhere: Option<String>,
    ) -> &'a [TokenTree] {
        let [TokenTree::Ident(name), after @ ..] = rest else { return rest };
        let module = [module, &[name.to_string()]].concat();
        if for_tests {
            let folder = self.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            // A file in another place is known by its place, as every file is.
            let known_as = elsewhere.map(|file| module_of(&format!("{folder}/{file}")));
            self.test_modules.push(known_as.unwrap_or_else(|| module.clone()));
        }
        let [TokenTree::Group(body), after @ ..] = after else { return after };
        self.tokens(body.stream(), &module);
        after
    }

    /// After `extern`: `crate name`, or anything else, which is no path.
    fn extern_crate<'a>(&mut self, rest: &'a [TokenTree], module: &[String]) -> &'a [TokenTree] {
        match rest {
            [TokenTree::Ident(word), TokenTree::Ident(name), after @ ..] if word == "crate" => {
                self.add(name.span().start().line, module, vec![name.to_string()]);
                after
            }
            _ => rest,
        }
    }

    /// One branch of what stands behind `use`: `a::b`, `a::{b, c}`, `a::*` or `a as b`.
    fn import(&mut self, tree: &[TokenTree], prefix: &[String], module: &[String], line: usize) {
        let mut path = prefix.to_vec();
        let mut name = None;
        let mut tokens = tree.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => name = tokens.next().map(ToString::to_string),
                TokenTree::Ident(word) if word == "self" && !prefix.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".to_owned()),
                TokenTree::Group(group) => {
                    let branches: Vec<_> = group.stream().into_iter().collect();
                    for branch in branches.split(|token| is_punct(Some(token), ',')) {
                        let line = branch.first().map_or(line, |first| first.span().start().line);
                        if !branch.is_empty() {
                            self.import(branch, &path, module, line);
                        }
                    }
                    return;
                }
                _ => {}
            }
        }
        let path = resolved(path, module);
        if let Some(name) = name.or_else(|| path.last().cloned()) {
            self.names.insert(name, path.clone());
        }
        self.found.push(Found { line, within: module.to_vec(), path });
    }

    /// A path of two words or more that starts here; a word alone is none.
    fn inline_path<'a>(
        &mut self,
        first: &Ident,
        rest: &'a [TokenTree],
        module: &[String],
    ) -> &'a [TokenTree] {
        let mut path = vec![first.to_string()];
        let mut rest = rest;
        while let [TokenTree::Punct(one), TokenTree::Punct(two), TokenTree::Ident(word), after @ ..] = rest
            && (one.as_char(), two.as_char()) == (':', ':')
        {
            path.push(word.to_string());
            rest = after;
        }
        if path.len() > 1 {
            self.add(first.span().start().line, module, path);
        }
        rest
    }

    fn add(&mut self, line: usize, module: &[String], path: Vec<String>) {
        self.found.push(Found { line, within: module.to_vec(), path: resolved(path, module) });
    }

    /// `Utc::now` under `use chrono::Utc` is `chrono::Utc::now`.
    fn expand_names(&mut self) {
        for found in &mut self.found {
            let Some((first, below)) = found.path.split_first() else { continue };
            if let Some(full) = self.names.get(first) {
                found.path = [full.as_slice(), below].concat();
            }
        }
    }
}

/// The module that a file of `src/` is, by where it lies.
fn module_of(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    inner.split('/').map(str::to_owned).collect()
}

/// The path from the crate's root, for one that starts at `crate`, `self`, `super` or, in a root, at a module.
fn resolved(path: Vec<String>, module: &[String]) -> Vec<String> {
    let from = |above: &[String], below: &[String]| [&["crate".to_owned()], above, below].concat();
    let Some((first, below)) = path.split_first() else { return path };
    match first.as_str() {
        "crate" | "shopsync" => from(&[], below),
        "self" | "super" => {
            let below = path.get(usize::from(first == "self")..).unwrap_or_default();
            let climbs = below.iter().take_while(|word| *word == "super").count();
            let above = module.get(..module.len().saturating_sub(climbs)).unwrap_or_default();
            from(above, below.get(climbs..).unwrap_or_default())
        }
        name if module.is_empty() && super::may_import(name).is_some() => from(&[], &path),
        _ => path,
    }
}

/// Whether an attribute's brackets hold `cfg(test)` and nothing else.
fn is_cfg_test(attribute: TokenStream) -> bool {
    attribute.to_string().replace(' ', "") == "cfg(test)"
}

/// What `path = "…"` in an attribute's brackets names.
fn path_attribute(attribute: TokenStream) -> Option<String> {
    let text = attribute.to_string().replace(' ', "");
    text.strip_prefix("path=\"")?.strip_suffix('"').map(str::to_owned)
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}
