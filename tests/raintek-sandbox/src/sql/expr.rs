//! Expressions: names, literals, arithmetic with SQL Server's scales, comparisons under its collation.

use sqlparser::ast::{BinaryOperator, CastKind, Expr, Ident, Query, UnaryOperator, Value};

use super::compile::{Compiler, Slot};
use super::convert::{How, Typed, convert, meet};
use super::error::{SqlError, SqlResult};
use super::types::{self, Text, Ty};

impl Compiler<'_> {
    /// An expression with a value.
    pub(crate) fn expr(&mut self, expr: &Expr) -> SqlResult<Typed> {
        let outside = self.ungrouped.len();
        let typed = self.plain(expr)?;
        // what stands in GROUP BY as a whole may use its columns
        if self
            .scopes
            .last()
            .is_some_and(|scope| scope.group_by.as_ref().is_some_and(|g| g.contains(&typed.sql)))
        {
            self.ungrouped.truncate(outside);
        }
        Ok(typed)
    }

    fn plain(&mut self, expr: &Expr) -> SqlResult<Typed> {
        match expr {
            Expr::Identifier(ident) if ident.value.starts_with('@') => self.variable(&ident.value),
            Expr::Identifier(ident) => self.column(None, ident),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., table, column] => self.column(Some(&table.value), column),
                _ => Err(SqlError::syntax(expr)),
            },
            Expr::Value(value) => literal(&value.value),
            Expr::Nested(inner) => {
                let inner = self.expr(inner)?;
                Ok(Typed::new(format!("({})", inner.sql), inner.ty))
            }
            Expr::UnaryOp { op, expr } => {
                let inner = self.expr(expr)?;
                match op {
                    UnaryOperator::Minus => Ok(Typed::new(format!("(-{})", inner.sql), inner.ty)),
                    UnaryOperator::Plus => Ok(inner),
                    _ => Err(SqlError::unsupported(op)),
                }
            }
            Expr::BinaryOp { left, op, right } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                arithmetic(left, op, right)
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, .. } => {
                let (inner, ty) = (self.expr(expr)?, cast_type(data_type)?);
                convert(inner, ty, How::Cast(0))
            }
            Expr::Convert { is_try: false, expr, data_type: Some(data_type), styles, .. } => {
                let style = match styles.as_slice() {
                    [] => 0,
                    [style] => style.to_string().parse().map_err(|_| SqlError::unsupported(style))?,
                    _ => return Err(SqlError::syntax(expr)),
                };
                let (inner, ty) = (self.expr(expr)?, cast_type(data_type)?);
                convert(inner, ty, How::Cast(style))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                let mut branches = Vec::new();
                for when in conditions {
                    let condition = match operand {
                        Some(operand) => {
                            let (left, right) = (self.expr(operand)?, self.expr(&when.condition)?);
                            compare(left, "=", right)?
                        }
                        None => self.condition(&when.condition)?,
                    };
                    branches.push((Some(condition), self.expr(&when.result)?));
                }
                if let Some(otherwise) = else_result {
                    branches.push((None, self.expr(otherwise)?));
                }
                let ty = branches.iter().fold(Ty::Null, |ty, (_, branch)| ty.common(branch.ty));
                let mut sql = String::from("(CASE");
                for (condition, value) in branches {
                    let value = convert(value, ty, How::Cast(0))?.sql;
                    sql.push_str(&match condition {
                        Some(condition) => format!(" WHEN {condition} THEN {value}"),
                        None => format!(" ELSE {value}"),
                    });
                }
                Ok(Typed::new(sql + " END)", ty))
            }
            Expr::Subquery(query) => {
                let (sql, ty) = self.single(query)?;
                Ok(Typed::new(format!("({sql})"), ty))
            }
            Expr::Function(function) => self.function(function),
            Expr::Substring { expr, substring_from: Some(from), substring_for: Some(length), .. } => {
                let (text, from, length) = (self.expr(expr)?, self.expr(from)?, self.expr(length)?);
                self.substring(text, from, length)
            }
            Expr::Ceil { expr, .. } => self.rounded_up_or_down(expr, true),
            Expr::Floor { expr, .. } => self.rounded_up_or_down(expr, false),
            Expr::Collate { expr, .. } => self.expr(expr),
            _ => Err(SqlError::unsupported(expr)),
        }
    }

    /// A condition, as SQLite writes it.
    pub(crate) fn condition(&mut self, expr: &Expr) -> SqlResult<String> {
        Ok(match expr {
            Expr::Nested(inner) => format!("({})", self.condition(inner)?),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                format!("({} AND {})", self.condition(left)?, self.condition(right)?)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
                format!("({} OR {})", self.condition(left)?, self.condition(right)?)
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => format!("(NOT {})", self.condition(expr)?),
            Expr::BinaryOp { left, op, right } => {
                let sign = match op {
                    BinaryOperator::Eq => "=",
                    BinaryOperator::NotEq => "<>",
                    BinaryOperator::Lt => "<",
                    BinaryOperator::LtEq => "<=",
                    BinaryOperator::Gt => ">",
                    BinaryOperator::GtEq => ">=",
                    _ => return Err(not_a_condition(expr)),
                };
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                compare(left, sign, right)?
            }
            Expr::IsNull(inner) => format!("({} IS NULL)", self.expr(inner)?.sql),
            Expr::IsNotNull(inner) => format!("({} IS NOT NULL)", self.expr(inner)?.sql),
            Expr::Between { expr, negated, low, high } => {
                let value = self.expr(expr)?;
                let (low, high) = (self.expr(low)?, self.expr(high)?);
                let inside =
                    format!("({} AND {})", compare(value.clone(), ">=", low)?, compare(value, "<=", high)?);
                if *negated { format!("(NOT {inside})") } else { inside }
            }
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated)?,
            Expr::InSubquery { expr, subquery, negated } => self.in_subquery(expr, subquery, *negated)?,
            Expr::Exists { subquery, negated } => {
                let (sql, _) = self.nested_query(subquery)?;
                format!("({}EXISTS ({sql}))", if *negated { "NOT " } else { "" })
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                let (value, pattern) = (self.expr(expr)?, self.expr(pattern)?);
                let escape = match escape_char {
                    Some(escape) => self.expr(escape)?.sql,
                    None => "NULL".to_owned(),
                };
                let to_text = |typed: Typed| {
                    if typed.ty.is_text() {
                        Ok(typed)
                    } else {
                        convert(typed, Ty::nvarchar(4000), How::Cast(0))
                    }
                };
                let (value, pattern) = (to_text(value)?, to_text(pattern)?);
                format!(
                    "({}t_like({}, {}, {escape}))",
                    if *negated { "NOT " } else { "" },
                    pattern.sql,
                    value.sql
                )
            }
            _ => return Err(not_a_condition(expr)),
        })
    }

    fn in_list(&mut self, expr: &Expr, list: &[Expr], negated: bool) -> SqlResult<String> {
        let value = self.expr(expr)?;
        let items = list.iter().map(|item| self.expr(item)).collect::<SqlResult<Vec<_>>>()?;
        let ty = items.iter().fold(value.ty, |ty, item| ty.common(item.ty));
        let value = convert(value, ty, How::Compare)?;
        let items = items
            .into_iter()
            .map(|item| convert(item, ty, How::Compare).map(|typed| typed.sql))
            .collect::<SqlResult<Vec<_>>>()?;
        let (collate, not) =
            (if ty.is_text() { " COLLATE T" } else { "" }, if negated { "NOT " } else { "" });
        Ok(format!("({}{collate} {not}IN ({}))", value.sql, items.join(", ")))
    }

    fn in_subquery(&mut self, expr: &Expr, query: &Query, negated: bool) -> SqlResult<String> {
        let value = self.expr(expr)?;
        let (sql, ty) = self.single(query)?;
        let common = value.ty.common(ty);
        let value = convert(value, common, How::Compare)?;
        let inner = convert(Typed::new("\"_1\"", ty), common, How::Compare)?;
        let (collate, not) =
            (if common.is_text() { " COLLATE T" } else { "" }, if negated { "NOT " } else { "" });
        Ok(format!("({}{collate} {not}IN (SELECT {} FROM ({sql})))", value.sql, inner.sql))
    }

    /// A subquery of one column, which is called `_1`.
    fn single(&mut self, query: &Query) -> SqlResult<(String, Ty)> {
        let (sql, columns) = self.nested_query(query)?;
        match columns.as_slice() {
            [column] => Ok((sql, column.ty)),
            _ => Err(SqlError::new(
                116,
                16,
                "Only one expression can be specified in the select list when the subquery is not introduced with EXISTS.",
            )),
        }
    }

    fn variable(&mut self, name: &str) -> SqlResult<Typed> {
        let (slot, ty) = match name.to_lowercase().as_str() {
            "@@rowcount" => (Slot::RowCount, Ty::INT),
            "@@error" => (Slot::Error, Ty::INT),
            "@@trancount" => (Slot::TranCount, Ty::INT),
            "@@spid" => (Slot::Spid, Ty::Int(2)),
            "@@lock_timeout" => (Slot::LockTimeout, Ty::INT),
            "@@identity" => (Slot::ScopeIdentity, Ty::Dec { p: 38, s: 0 }),
            "@@version" => return Ok(text_literal(crate::VERSION_TEXT, true)),
            "@@servername" => return Ok(text_literal("RAINTEK-SANDBOX", true)),
            lower => {
                let at = self.variable_index(lower)?;
                let ty = self.variables.get(at).map_or(Ty::Null, |(_, ty)| *ty);
                (Slot::Variable(at), ty)
            }
        };
        Ok(Typed::new(self.slot(slot), ty))
    }

    fn column(&mut self, table: Option<&str>, column: &Ident) -> SqlResult<Typed> {
        let name = &column.value;
        for (depth, scope) in self.scopes.iter().rev().enumerate() {
            let mut found = scope
                .sources
                .iter()
                .filter(|source| table.is_none_or(|table| source.alias.eq_ignore_ascii_case(table)));
            let mut hits = found.by_ref().filter_map(|source| {
                let column = source.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name))?;
                Some(Typed::new(format!("\"{}\".\"{}\"", source.alias, column.name), column.ty))
            });
            if let Some(hit) = hits.next() {
                if hits.next().is_some() {
                    return Err(SqlError::new(209, 16, format!("Ambiguous column name '{name}'.")));
                }
                if depth == 0 && scope.group_by.is_some() && self.in_aggregate == 0 {
                    self.ungrouped.push(hit.sql.replace('"', ""));
                }
                return Ok(hit);
            }
        }
        match table {
            Some(table)
                if !self
                    .scopes
                    .iter()
                    .any(|s| s.sources.iter().any(|x| x.alias.eq_ignore_ascii_case(table))) =>
            {
                Err(SqlError::new(
                    4104,
                    16,
                    format!("The multi-part identifier \"{table}.{name}\" could not be bound."),
                ))
            }
            _ => Err(SqlError::invalid_column(name)),
        }
    }
}

fn not_a_condition(expr: &Expr) -> SqlError {
    SqlError::new(
        4145,
        15,
        format!(
            "An expression of non-boolean type specified in a context where a condition is expected, near '{expr}'."
        ),
    )
}

/// CAST to a text without a width takes 30 letters.
fn cast_type(data_type: &sqlparser::ast::DataType) -> SqlResult<Ty> {
    let ty = types::from_ast(data_type)?;
    let written = data_type.to_string().contains('(');
    Ok(match ty {
        Ty::Str(text) if !written => Ty::Str(Text { max: Some(30), ..text }),
        Ty::Bin(_) if !written => Ty::Bin(Some(30)),
        other => other,
    })
}

/// Compares under SQL Server's rules for the types of both sides.
pub(crate) fn compare(left: Typed, sign: &str, right: Typed) -> SqlResult<String> {
    let (left, right) = meet(left, right)?;
    let collate = if left.ty.is_text() || right.ty.is_text() { " COLLATE T" } else { "" };
    Ok(format!("({}{collate} {sign} {})", left.sql, right.sql))
}

/// A text as a literal of the store.
pub(crate) fn text_literal(text: &str, unicode: bool) -> Typed {
    let width = super::text::width(text);
    let max = u16::try_from(width.max(1)).ok().filter(|&width| width <= if unicode { 4000 } else { 8000 });
    Typed::new(format!("'{}'", text.replace('\'', "''")), Ty::Str(Text { unicode, fixed: false, max }))
}

fn literal(value: &Value) -> SqlResult<Typed> {
    Ok(match value {
        Value::Null => Typed::new("NULL", Ty::Null),
        Value::NationalStringLiteral(text) => text_literal(text, true),
        Value::SingleQuotedString(text) => {
            text_literal(&super::text::from_1252(&super::text::to_1252(text)), false)
        }
        Value::HexStringLiteral(digits) => {
            let even = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.clone() };
            Typed::new(
                format!("x'{even}'"),
                Ty::Bin(Some(u16::try_from(even.len() / 2).unwrap_or(8000).max(1))),
            )
        }
        Value::Number(number, _) => {
            if let Some((mantissa, exponent)) = number.split_once(['e', 'E']) {
                return Ok(Typed::new(format!("{mantissa}e{exponent}"), Ty::Float));
            }
            if let Some((whole, fraction)) = number.split_once('.') {
                let digits = format!("{whole}{fraction}");
                let digits = digits.trim_start_matches('0');
                let s = u8::try_from(fraction.len()).map_err(|_| SqlError::overflow("numeric"))?;
                let p = u8::try_from(digits.len()).map_err(|_| SqlError::overflow("numeric"))?.max(s).max(1);
                let digits: i64 = format!("0{digits}").parse().map_err(|_| SqlError::overflow("numeric"))?;
                return Ok(Typed::new(digits.to_string(), Ty::Dec { p, s }));
            }
            let parsed: i64 = number.parse().map_err(|_| SqlError::overflow("numeric"))?;
            match i32::try_from(parsed) {
                Ok(_) => Typed::new(parsed.to_string(), Ty::INT),
                Err(_) => Typed::new(
                    parsed.to_string(),
                    Ty::Dec { p: u8::try_from(number.len()).unwrap_or(19), s: 0 },
                ),
            }
        }
        _ => return Err(SqlError::unsupported(value)),
    })
}

fn arithmetic(left: Typed, op: &BinaryOperator, right: Typed) -> SqlResult<Typed> {
    let sign = match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        _ => return Err(SqlError::syntax(op)),
    };
    if let (Ty::Str(a), Ty::Str(b), "+") = (left.ty, right.ty, sign) {
        let max = a.max.zip(b.max).map(|(a, b)| a.saturating_add(b).min(4000));
        let ty = Ty::Str(Text { unicode: a.unicode || b.unicode, fixed: false, max });
        return Ok(Typed::new(format!("({} || {})", left.sql, right.sql), ty));
    }
    if left.ty == Ty::DateTime && matches!(right.ty, Ty::Int(_)) && matches!(sign, "+" | "-") {
        let minus = if sign == "-" { "-" } else { "" };
        return Ok(Typed::new(format!("t_dateadd('day', {minus}{}, {})", right.sql, left.sql), Ty::DateTime));
    }
    let common = match left.ty.common(right.ty) {
        Ty::Null | Ty::Bit => Ty::INT,
        ty => ty,
    };
    let widen = |typed: Typed| {
        let number = matches!(typed.ty, Ty::Int(_) | Ty::Bit | Ty::Dec { .. } | Ty::Null);
        if number && matches!(common, Ty::Int(_) | Ty::Dec { .. }) {
            Ok(typed)
        } else {
            convert(typed, common, How::Compare)
        }
    };
    let (left, right) = (widen(left)?, widen(right)?);
    match common {
        Ty::Float if sign != "%" => Ok(Typed::new(format!("({} {sign} {})", left.sql, right.sql), Ty::Float)),
        Ty::Int(width) => Ok(Typed::new(
            match sign {
                "/" => format!("t_div({}, 0, {}, 0, 0)", left.sql, right.sql),
                "%" => format!("t_mod({}, {})", left.sql, right.sql),
                _ => format!("t_int({} {sign} {}, {width})", left.sql, right.sql),
            },
            common,
        )),
        Ty::Dec { .. } => decimal(left, sign, right),
        _ => Err(SqlError::new(
            402,
            16,
            format!(
                "The data types {} and {} are incompatible in this operator.",
                left.ty.name(),
                right.ty.name()
            ),
        )),
    }
}

/// A whole number written out counts with the digits it has, not with those of its type.
fn digits(typed: &Typed) -> (u8, u8) {
    let written = matches!(typed.ty, Ty::Int(_)) && typed.sql.bytes().all(|byte| byte.is_ascii_digit());
    if written { (u8::try_from(typed.sql.len()).unwrap_or(10), 0) } else { typed.ty.digits() }
}

/// SQL Server's precision and scale for each sign.
fn decimal(left: Typed, sign: &str, right: Typed) -> SqlResult<Typed> {
    let ((p1, s1), (p2, s2)) = (digits(&left), digits(&right));
    let bounded = |p: u8, s: u8| {
        if p <= 38 { (p, s) } else { (38, s.min((38_u8.saturating_sub(p - s)).max(6))) }
    };
    match sign {
        "+" | "-" => {
            let s = s1.max(s2);
            let p = (p1.saturating_sub(s1)).max(p2.saturating_sub(s2)).saturating_add(s + 1).min(38);
            let scaled = |typed: Typed, from: u8| {
                if from == s {
                    typed.sql
                } else {
                    format!("({} * {})", typed.sql, super::natives::power(i64::from(s - from)))
                }
            };
            let (a, b) = (scaled(left, s1), scaled(right, s2));
            Ok(Typed::new(format!("({a} {sign} {b})"), Ty::Dec { p, s }))
        }
        "*" => {
            let exact = s1 + s2;
            let (p, s) = bounded(p1.saturating_add(p2).saturating_add(1), exact);
            let product = format!("t_mul({}, {})", left.sql, right.sql);
            let sql = if s == exact { product } else { format!("t_dec({product}, {exact}, {p}, {s})") };
            Ok(Typed::new(sql, Ty::Dec { p, s }))
        }
        "/" => {
            let s = s1.saturating_add(p2).saturating_add(1).max(6);
            let (p, s) = bounded(p1.saturating_sub(s1).saturating_add(s2).saturating_add(s), s);
            Ok(Typed::new(format!("t_div({}, {s1}, {}, {s2}, {s})", left.sql, right.sql), Ty::Dec { p, s }))
        }
        _ => Err(SqlError::unsupported("decimal %")),
    }
}
