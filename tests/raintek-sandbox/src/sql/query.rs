//! SELECT: sources, projection, grouping, order.

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, JoinConstraint, JoinOperator, OrderByKind, OrderBySort, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, TableFactor,
    TableWithJoins, TopQuantity,
};

use super::compile::{Action, Compiler, Scope, Source, column_infos, restored_database, table_name};
use super::convert::{How, Typed, convert};
use super::error::{SqlError, SqlResult};
use super::types::{self, ColumnInfo, Ty};

/// One SELECT before its columns are brought to the types a UNION wants.
struct Parts {
    distinct: bool,
    items: Vec<(String, Typed, bool)>,
    tail: String,
    top: Option<String>,
    /// `SELECT @x = ...`
    targets: Vec<String>,
}

impl Parts {
    fn sql(&self) -> String {
        let items: Vec<String> = self
            .items
            .iter()
            .zip(1..)
            .map(|((name, typed, _), at)| {
                let collate = if self.distinct && typed.ty.is_text() { " COLLATE T" } else { "" };
                let name = if name.is_empty() { format!("_{at}") } else { name.replace('"', "\"\"") };
                format!("{}{collate} AS \"{name}\"", typed.sql)
            })
            .collect();
        format!("SELECT {}{}{}", if self.distinct { "DISTINCT " } else { "" }, items.join(", "), self.tail)
    }
}

impl Compiler<'_> {
    /// A SELECT statement, with or without assignments.
    pub(crate) fn top_query(&mut self, query: &Query) -> SqlResult<Action> {
        if let SetExpr::Select(select) = query.body.as_ref() {
            let assigns = select.projection.iter().any(
                |item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value.starts_with('@')),
            );
            if assigns {
                return self.assigning(query, select);
            }
        }
        let (sql, columns) = self.query(query, false)?;
        Ok(Action::Query { sql: self.finish(sql), columns, lock: self.lock })
    }

    fn assigning(&mut self, query: &Query, select: &Select) -> SqlResult<Action> {
        self.scopes.push(Scope::default());
        let mut parts = self.select(select)?;
        let mut targets = Vec::new();
        for ((_, typed, _), target) in parts.items.iter_mut().zip(&parts.targets) {
            let at = self.variable_index(target)?;
            let ty = self.variables.get(at).map_or(Ty::Null, |(_, ty)| *ty);
            *typed = convert(typed.clone(), ty, How::Cast(0))?;
            targets.push(at);
        }
        if targets.len() != parts.items.len() {
            return Err(SqlError::new(
                141,
                15,
                "A SELECT statement that assigns a value to a variable must not be combined with data-retrieval operations.",
            ));
        }
        let mut sql = parts.sql();
        sql.push_str(&self.order_by(query, &parts)?);
        if let Some(top) = &parts.top {
            sql.push_str(&format!(" LIMIT {top}"));
        }
        self.scopes.pop();
        Ok(Action::Assign { sql: self.finish(sql), targets, lock: self.lock })
    }

    /// A query inside another: its columns without a name are called `_1`, `_2`...; a single one always is `_1`.
    pub(crate) fn nested_query(&mut self, query: &Query) -> SqlResult<(String, Vec<ColumnInfo>)> {
        self.query(query, true)
    }

    pub(super) fn query(&mut self, query: &Query, single: bool) -> SqlResult<(String, Vec<ColumnInfo>)> {
        if query.with.is_some()
            || query.limit_clause.is_some()
            || query.fetch.is_some()
            || query.for_clause.is_some()
        {
            return Err(SqlError::unsupported("WITH, OFFSET, FETCH or FOR in a query"));
        }
        let outside = (std::mem::take(&mut self.ungrouped), std::mem::take(&mut self.in_aggregate));
        self.scopes.push(Scope::default());
        let (mut parts, joint) = self.body(&query.body)?;
        if let (true, [(name, ..)]) = (single, parts.items.as_mut_slice()) {
            name.clear();
        }
        let mut sql = match joint {
            None => parts.sql(),
            Some(joint) => joint,
        };
        sql.push_str(&self.order_by(query, &parts)?);
        if let Some(top) = &parts.top {
            sql.push_str(&format!(" LIMIT {top}"));
        }
        self.scopes.pop();
        if let Some(column) = self.ungrouped.first() {
            return Err(SqlError::new(
                8120,
                16,
                format!(
                    "Column '{column}' is invalid in the select list because it is not contained in either an aggregate \
                     function or the GROUP BY clause."
                ),
            ));
        }
        (self.ungrouped, self.in_aggregate) = outside;
        let columns = parts
            .items
            .into_iter()
            .map(|(name, typed, identity)| ColumnInfo { name, ty: typed.ty, identity })
            .collect();
        Ok((sql, columns))
    }

    /// The first SELECT's parts, and the whole SQL where several are joined by UNION.
    fn body(&mut self, body: &SetExpr) -> SqlResult<(Parts, Option<String>)> {
        match body {
            SetExpr::Select(select) => Ok((self.select(select)?, None)),
            SetExpr::Query(query) => {
                let (sql, columns) = self.query(query, false)?;
                let items = columns
                    .into_iter()
                    .map(|column| (column.name.clone(), Typed::new(column.name, column.ty), false))
                    .collect();
                Ok((
                    Parts { distinct: false, items, tail: String::new(), top: None, targets: Vec::new() },
                    Some(format!("SELECT * FROM ({sql})")),
                ))
            }
            SetExpr::SetOperation { left, op: SetOperator::Union, set_quantifier, right } => {
                let all = match set_quantifier {
                    SetQuantifier::All => true,
                    SetQuantifier::None | SetQuantifier::Distinct => false,
                    _ => return Err(SqlError::unsupported("UNION of this kind")),
                };
                let (mut first, first_sql) = self.body(left)?;
                self.scopes.pop();
                self.scopes.push(Scope::default());
                let (mut second, second_sql) = self.body(right)?;
                self.scopes.pop();
                self.scopes.push(Scope::default());
                if second_sql.is_some() || first.top.is_some() || second.top.is_some() {
                    return Err(SqlError::unsupported("UNION with TOP or brackets"));
                }
                if first.items.len() != second.items.len() {
                    return Err(SqlError::new(
                        205,
                        16,
                        "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.",
                    ));
                }
                for ((_, a, _), (_, b, _)) in first.items.iter_mut().zip(second.items.iter_mut()) {
                    let ty = a.ty.common(b.ty);
                    if first_sql.is_some() && ty != a.ty && !ty.is_text() {
                        return Err(SqlError::unsupported("UNION of three types"));
                    }
                    *a = convert(a.clone(), ty, How::Cast(0))?;
                    *b = convert(b.clone(), ty, How::Cast(0))?;
                }
                first.distinct = !all;
                second.distinct = !all;
                let first_sql = first_sql.unwrap_or_else(|| first.sql());
                let sql = format!("{first_sql} UNION {}{}", if all { "ALL " } else { "" }, second.sql());
                first.tail.clear();
                Ok((first, Some(sql)))
            }
            _ => Err(SqlError::unsupported("this set of rows")),
        }
    }

    fn select(&mut self, select: &Select) -> SqlResult<Parts> {
        if select.into.is_some() || !select.lateral_views.is_empty() || select.qualify.is_some() {
            return Err(SqlError::unsupported("SELECT INTO"));
        }
        let mut from = String::new();
        for table in &select.from {
            from.push_str(if from.is_empty() { " FROM " } else { ", " });
            let sql = self.source(table)?;
            from.push_str(&sql);
        }
        if let Some(condition) = &select.selection {
            from.push_str(&format!(" WHERE {}", self.condition(condition)?));
        }
        self.group_by(select, &mut from)?;
        let mut parts = Parts {
            distinct: matches!(select.distinct, Some(Distinct::Distinct)),
            items: Vec::new(),
            tail: String::new(),
            top: None,
            targets: Vec::new(),
        };
        for item in &select.projection {
            self.item(item, &mut parts)?;
        }
        if let Some(having) = &select.having {
            from.push_str(&format!(" HAVING {}", self.condition(having)?));
        }
        parts.tail = from;
        if let Some(top) = &select.top {
            if top.percent || top.with_ties {
                return Err(SqlError::unsupported("TOP PERCENT or WITH TIES"));
            }
            parts.top = match &top.quantity {
                Some(TopQuantity::Constant(number)) => Some(number.to_string()),
                Some(TopQuantity::Expr(expr)) => Some(self.expr(expr)?.sql),
                None => None,
            };
        }
        Ok(parts)
    }

    fn group_by(&mut self, select: &Select, from: &mut String) -> SqlResult<()> {
        let GroupByExpr::Expressions(groups, modifiers) = &select.group_by else {
            return Err(SqlError::unsupported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(SqlError::unsupported("GROUP BY WITH ROLLUP"));
        }
        let mut keys = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let typed = self.expr(group)?;
            from.push_str(if at == 0 { " GROUP BY " } else { ", " });
            from.push_str(&typed.sql);
            if typed.ty.is_text() {
                from.push_str(" COLLATE T");
            }
            keys.push(typed.sql);
        }
        let aggregated = select.having.is_some()
            || select.projection.iter().any(|item| match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => has_aggregate(expr),
                _ => false,
            });
        if let (true, Some(scope)) = (aggregated || !keys.is_empty(), self.scopes.last_mut()) {
            scope.group_by = Some(keys);
        }
        Ok(())
    }

    fn item(&mut self, item: &SelectItem, parts: &mut Parts) -> SqlResult<()> {
        let plain = |name: &str, typed: Typed| (name.to_owned(), typed, false);
        match item {
            SelectItem::ExprWithAlias { expr, alias } if alias.value.starts_with('@') => {
                let typed = self.expr(expr)?;
                parts.targets.push(alias.value.to_lowercase());
                parts.items.push(plain("", typed));
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let typed = self.expr(expr)?;
                parts.items.push(plain(&alias.value, typed));
            }
            SelectItem::UnnamedExpr(expr) => {
                let typed = self.expr(expr)?;
                let name = match expr {
                    Expr::Identifier(ident) if !ident.value.starts_with('@') => ident.value.clone(),
                    Expr::CompoundIdentifier(names) => {
                        names.last().map(|n| n.value.clone()).unwrap_or_default()
                    }
                    _ => String::new(),
                };
                let known = self.scopes.last().and_then(|scope| {
                    scope.sources.iter().flat_map(|s| &s.columns).find(|c| c.name.eq_ignore_ascii_case(&name))
                });
                let identity = known.is_some_and(|column| column.identity);
                let name = known.map_or(name, |column| column.name.clone());
                parts.items.push((name, typed, identity));
            }
            SelectItem::Wildcard(_) => self.all_columns(None, parts)?,
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                self.all_columns(Some(&types::last_name(name)), parts)?;
            }
            _ => return Err(SqlError::unsupported(item)),
        }
        Ok(())
    }

    fn all_columns(&mut self, alias: Option<&str>, parts: &mut Parts) -> SqlResult<()> {
        let scope = self.scopes.last().ok_or_else(|| SqlError::syntax("*"))?;
        let before = parts.items.len();
        for source in &scope.sources {
            if alias.is_none_or(|alias| source.alias.eq_ignore_ascii_case(alias)) {
                for column in &source.columns {
                    let sql = format!("\"{}\".\"{}\"", source.alias, column.name);
                    parts.items.push((column.name.clone(), Typed::new(sql, column.ty), column.identity));
                }
            }
        }
        if before == parts.items.len() {
            return Err(SqlError::new(
                107,
                15,
                "The column prefix does not match with a table name used in the query.",
            ));
        }
        Ok(())
    }

    pub(crate) fn source(&mut self, table: &TableWithJoins) -> SqlResult<String> {
        let mut sql = self.factor(&table.relation)?;
        for join in &table.joins {
            let (word, constraint) = match &join.join_operator {
                JoinOperator::Join(on) | JoinOperator::Inner(on) => ("JOIN", on),
                JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => ("LEFT JOIN", on),
                JoinOperator::CrossJoin(on) => ("CROSS JOIN", on),
                _ => return Err(SqlError::unsupported("this JOIN")),
            };
            let right = self.factor(&join.relation)?;
            sql.push_str(&format!(" {word} {right}"));
            match constraint {
                JoinConstraint::On(condition) => sql.push_str(&format!(" ON {}", self.condition(condition)?)),
                JoinConstraint::None if word == "CROSS JOIN" => {}
                _ => return Err(SqlError::syntax("JOIN")),
            }
        }
        Ok(sql)
    }

    fn factor(&mut self, factor: &TableFactor) -> SqlResult<String> {
        let (sql, source) = match factor {
            TableFactor::Table { name, alias, args: None, with_hints, .. } => {
                let table = self.table(&table_name(name))?;
                for hint in with_hints {
                    self.hint(&hint.to_string())?;
                }
                let alias =
                    alias.as_ref().map_or_else(|| types::last_name(name), |alias| alias.name.value.clone());
                let place =
                    restored_database(name).map(|database| format!("\"{database}\".")).unwrap_or_default();
                let sql = format!("{place}\"{}\" AS \"{alias}\"", table.store);
                (sql, Source { alias, columns: column_infos(&table) })
            }
            TableFactor::Derived { lateral: false, subquery, alias: Some(alias), .. } => {
                self.derived(subquery, alias)?
            }
            _ => return Err(SqlError::unsupported("this source of rows")),
        };
        if let Some(scope) = self.scopes.last_mut() {
            scope.sources.push(source);
        }
        Ok(sql)
    }

    fn hint(&mut self, hint: &str) -> SqlResult<()> {
        match hint.to_ascii_uppercase().as_str() {
            "UPDLOCK" | "XLOCK" | "TABLOCKX" => self.lock = true,
            // alone these take shared locks only, which nobody here waits for
            "NOLOCK" | "HOLDLOCK" | "SERIALIZABLE" | "ROWLOCK" | "READCOMMITTED" | "READUNCOMMITTED"
            | "TABLOCK" | "PAGLOCK" => {}
            other => {
                return Err(SqlError::new(
                    321,
                    15,
                    format!("\"{other}\" is not a recognized table hints option."),
                ));
            }
        }
        Ok(())
    }

    fn order_by(&mut self, query: &Query, parts: &Parts) -> SqlResult<String> {
        let Some(order) = &query.order_by else { return Ok(String::new()) };
        let OrderByKind::Expressions(keys) = &order.kind else {
            return Err(SqlError::unsupported("ORDER BY ALL"));
        };
        let mut sql = String::new();
        for key in keys {
            let named = match &key.expr {
                Expr::Identifier(ident) => parts
                    .items
                    .iter()
                    .position(|(name, ..)| !name.is_empty() && name.eq_ignore_ascii_case(&ident.value)),
                Expr::Value(value) => value
                    .to_string()
                    .parse::<usize>()
                    .ok()
                    .and_then(|at| at.checked_sub(1))
                    .filter(|at| *at < parts.items.len()),
                _ => None,
            };
            let (key_sql, ty) = match named {
                Some(at) => {
                    ((at + 1).to_string(), parts.items.get(at).map_or(Ty::Null, |(_, typed, _)| typed.ty))
                }
                None => {
                    let typed = self.expr(&key.expr)?;
                    (typed.sql, typed.ty)
                }
            };
            sql.push_str(if sql.is_empty() { " ORDER BY " } else { ", " });
            sql.push_str(&key_sql);
            if ty.is_text() {
                sql.push_str(" COLLATE T");
            }
            if matches!(key.options.sort, Some(OrderBySort::Desc)) {
                sql.push_str(" DESC");
            }
        }
        Ok(sql)
    }
}

/// Whether an expression holds an aggregate of its own level.
fn has_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => {
            let name = types::last_name(&function.name).to_ascii_uppercase();
            matches!(name.as_str(), "COUNT" | "COUNT_BIG" | "SUM" | "MIN" | "MAX" | "AVG")
                || match &function.args {
                    sqlparser::ast::FunctionArguments::List(list) => list.args.iter().any(|arg| match arg {
                        sqlparser::ast::FunctionArg::Unnamed(sqlparser::ast::FunctionArgExpr::Expr(expr)) => {
                            has_aggregate(expr)
                        }
                        _ => false,
                    }),
                    _ => false,
                }
        }
        Expr::BinaryOp { left, right, .. } => has_aggregate(left) || has_aggregate(right),
        Expr::Nested(inner)
        | Expr::UnaryOp { expr: inner, .. }
        | Expr::Cast { expr: inner, .. }
        | Expr::Convert { expr: inner, .. } => has_aggregate(inner),
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter().any(|when| has_aggregate(&when.condition) || has_aggregate(&when.result))
                || else_result.as_ref().is_some_and(|other| has_aggregate(other))
        }
        _ => false,
    }
}
