//! Where in a file mistakes can be made: each place that cargo-mutants may name, with its whole expression.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{
    Arm, BinOp, Block, Expr, ExprBinary, ExprMatch, ExprStruct, ExprUnary, ImplItemFn, ItemFn, Member,
    TraitItemFn, UnOp,
};

use crate::listed::Genre;

/// One place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) genre: Genre,
    /// What cargo-mutants names.
    pub(crate) named: Range<usize>,
    pub(crate) way: Way,
}

/// How a switch gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// This expression is another one, in which what is named is replaced.
    Instead(Range<usize>),
    /// This expression is the same field of another value.
    FieldOf { value: Range<usize>, other: String, field: String, is_short: bool },
    /// The function that begins here returns at once.
    Return { at: usize, body: Range<usize> },
    /// The pattern that ends here does not match.
    Never { at: usize, matched: Range<usize> },
}

/// Every place of a file; whatever lies around another stands before it.
pub(crate) fn sites(text: &str) -> syn::Result<Vec<Site>> {
    let file = syn::parse_file(text)?;
    let mut finder = Finder { text, sites: Vec::new() };
    finder.visit_file(&file);
    Ok(finder.sites)
}

struct Finder<'a> {
    text: &'a str,
    sites: Vec<Site>,
}

impl Finder<'_> {
    fn add(&mut self, genre: Genre, named: Range<usize>, way: Way) {
        self.sites.push(Site { genre, named, way });
    }

    fn body(&mut self, block: &Block) {
        if let [first, ..] = block.stmts.as_slice() {
            let (start, end) = (range(first).start, block.stmts.last().map_or(0, |last| range(last).end));
            self.add(Genre::FnValue, start..end, Way::Return { at: start, body: range(block) });
        }
    }

    fn arm(&mut self, arm: &Arm, matched: Range<usize>) {
        match &arm.guard {
            Some((_, guard)) if has_let(guard) => {}
            Some((_, guard)) => {
                self.add(Genre::MatchArmGuard, range(&**guard), Way::Instead(range(&**guard)));
            }
            None => {
                self.add(Genre::MatchArm, range(arm), Way::Never { at: range(&arm.pat).end, matched });
            }
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.body(&item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.body(&item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(block);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        // What holds a `let` may stand in no brackets.
        if !has_let(&binary.left) && !has_let(&binary.right) {
            self.add(Genre::BinaryOperator, range(&binary.op), Way::Instead(range(binary)));
        }
        syn::visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast ExprUnary) {
        if !matches!(unary.op, UnOp::Deref(_)) {
            self.add(Genre::UnaryOperator, range(&unary.op), Way::Instead(range(unary)));
        }
        syn::visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, matched: &'ast ExprMatch) {
        matched.arms.iter().for_each(|arm| self.arm(arm, range(matched)));
        syn::visit::visit_expr_match(self, matched);
    }

    fn visit_expr_struct(&mut self, made: &'ast ExprStruct) {
        if let Some(rest) = &made.rest {
            let rest = self.text.get(range(&**rest)).unwrap_or_default();
            let path = self.text.get(range(&made.path)).unwrap_or_default();
            // Alone it would not say whose default it is.
            let other = if rest == "Default::default()" {
                format!("<{path} as Default>::default()")
            } else {
                format!("({rest})")
            };
            for pair in made.fields.pairs() {
                let field = pair.value();
                let Member::Named(name) = &field.member else { continue };
                let end = pair.punct().map_or(range(*field).end, |comma| range(*comma).end);
                let way = Way::FieldOf {
                    value: range(&field.expr),
                    other: other.clone(),
                    field: name.to_string(),
                    is_short: field.colon_token.is_none(),
                };
                self.add(Genre::StructField, range(*field).start..end, way);
            }
        }
        syn::visit::visit_expr_struct(self, made);
    }
}

/// Whether a condition holds `let` among its parts.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(ExprBinary { left, op: BinOp::And(_) | BinOp::Or(_), right, .. }) => {
            has_let(left) || has_let(right)
        }
        _ => false,
    }
}

fn range(node: &impl Spanned) -> Range<usize> {
    node.span().byte_range()
}
