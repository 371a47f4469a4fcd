//! A parsed batch becomes a program: steps whose SQL runs on the store as it is.

use std::sync::Arc;

use super::catalog::{Catalog, Column, Table};
use super::convert::{How, convert};
use super::error::{SqlError, SqlResult, Written};
use super::parse::{Argument, Node, Parsed, Setting};
use super::types::{self, ColumnInfo, Ty};

/// What a place-holder of a step is filled with when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Variable(usize),
    RowCount,
    Error,
    TranCount,
    ScopeIdentity,
    Spid,
    Now,
    LockTimeout,
}

/// SQL for the store, with what its `?1`, `?2`... are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) slots: Vec<Slot>,
}

/// What a write does besides its SQL.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) sql: Sql,
    pub(crate) written: Written,
    pub(crate) primary_key: Option<String>,
    /// For an INSERT into a table with an identity column: whether the statement names that column.
    pub(crate) identity: Option<bool>,
    /// OUTPUT: the columns that come back, and the SQL that puts them into a table variable.
    pub(crate) output: Vec<ColumnInfo>,
    pub(crate) into: Option<String>,
    /// Writes a table variable only, which nobody else sees.
    pub(crate) local: bool,
}

/// What one step does.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Query {
        sql: Sql,
        columns: Vec<ColumnInfo>,
        lock: bool,
    },
    /// `SELECT @x = ...`: the last row decides.
    Assign {
        sql: Sql,
        targets: Vec<usize>,
        lock: bool,
    },
    Write(Box<Write>),
    Set(Setting),
    If {
        sql: Sql,
        lock: bool,
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    Block(Vec<Step>),
    Begin,
    Commit,
    Rollback,
    Exec {
        result: Option<usize>,
        procedure: String,
        arguments: Vec<(Option<String>, Sql, Ty)>,
    },
    RaisError(Sql),
    Print(Sql),
    Use(String),
    Return,
    /// SQL for the store that makes a table variable.
    TableVariable(String),
    Ddl(Box<Node>),
    Copying(super::backup::Copying),
    /// Found wrong only when it runs, as SQL Server does with a table that is not there.
    Raise(SqlError),
    Nothing,
}

/// One statement, ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) text: String,
    pub(crate) line: u32,
}

/// A batch, ready to run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// The types of all variables; parameters come first.
    pub(crate) variables: Vec<Ty>,
}

/// What a FROM clause brings in.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) alias: String,
    pub(crate) columns: Vec<ColumnInfo>,
}

/// The names one SELECT can see.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) sources: Vec<Source>,
    /// The SQL of what stands in GROUP BY; Some as soon as the SELECT is grouped at all.
    pub(crate) group_by: Option<Vec<String>>,
}

/// Translates one batch.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) database: String,
    pub(crate) variables: Vec<(String, Ty)>,
    pub(crate) table_variables: Vec<(String, Arc<Table>)>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) scopes: Vec<Scope>,
    /// The statement takes the write lock (UPDLOCK and its kin).
    pub(crate) lock: bool,
    pub(crate) in_aggregate: u32,
    /// Columns used outside GROUP BY and aggregates (8120).
    pub(crate) ungrouped: Vec<String>,
}

/// Compiles a batch with its parameters.
pub(crate) fn program(
    catalog: &Catalog,
    database: &str,
    statements: &[Parsed],
    parameters: Vec<(String, Ty)>,
) -> SqlResult<Program> {
    let mut compiler = Compiler {
        catalog,
        database: database.to_owned(),
        variables: parameters,
        table_variables: Vec::new(),
        slots: Vec::new(),
        scopes: Vec::new(),
        lock: false,
        in_aggregate: 0,
        ungrouped: Vec::new(),
    };
    let steps = compiler.steps(statements)?;
    Ok(Program { steps, variables: compiler.variables.into_iter().map(|(_, ty)| ty).collect() })
}

impl Compiler<'_> {
    fn steps(&mut self, statements: &[Parsed]) -> SqlResult<Vec<Step>> {
        let mut steps = Vec::new();
        for statement in statements {
            let mut actions = Vec::new();
            match self.actions(&statement.node, &mut actions) {
                Ok(()) => {}
                Err(error) if error.number == 208 => actions.push(Action::Raise(error)),
                Err(error) => return Err(error),
            }
            self.slots.clear();
            self.scopes.clear();
            steps.extend(actions.into_iter().map(|action| Step {
                action,
                text: statement.text.clone(),
                line: statement.line,
            }));
        }
        Ok(steps)
    }

    fn actions(&mut self, node: &Node, out: &mut Vec<Action>) -> SqlResult<()> {
        self.lock = false;
        self.ungrouped.clear();
        self.slots.clear();
        match node {
            Node::Select(query) => {
                let action = self.top_query(query)?;
                out.push(action);
            }
            Node::Insert(insert) => out.push(self.insert(insert)?),
            Node::Update(update) => out.push(self.update(update)?),
            Node::Delete(delete) => out.push(self.delete(delete)?),
            Node::Declare(variables) => {
                for (name, ty, value) in variables {
                    if self.variables.iter().any(|(known, _)| known == name) {
                        return Err(SqlError::new(
                            134,
                            15,
                            format!("The variable name '{name}' has already been declared."),
                        ));
                    }
                    self.variables.push((name.clone(), *ty));
                    if let Some(value) = value {
                        out.push(self.assign(name, value)?);
                    }
                }
                out.push(Action::Nothing);
            }
            Node::DeclareTable(name, columns) => {
                let columns = super::ddl::columns(columns)?;
                let table = Arc::new(Table {
                    name: name.clone(),
                    store: format!("_v_{}", name.trim_start_matches('@')),
                    columns,
                    id: 0,
                    system: false,
                });
                let ddl: Vec<String> = table.columns.iter().map(super::catalog::column_ddl).collect();
                out.push(Action::TableVariable(format!(
                    "DROP TABLE IF EXISTS temp.\"{0}\"; CREATE TEMP TABLE \"{0}\" ({1})",
                    table.store,
                    ddl.join(", ")
                )));
                self.table_variables.push((name.clone(), table));
            }
            Node::Assign(name, value) => out.push(self.assign(name, value)?),
            Node::Set(setting) => {
                if let Setting::IdentityInsert(table, _) = setting {
                    let found = self.table(table)?;
                    if found.identity().is_none() {
                        return Err(SqlError::new(
                            8106,
                            16,
                            format!(
                                "Table '{table}' does not have the identity property. Cannot perform SET operation."
                            ),
                        ));
                    }
                }
                out.push(Action::Set(setting.clone()));
            }
            Node::If(condition, then, otherwise) => {
                let sql = self.condition(condition)?;
                let sql = self.finish(format!("SELECT {sql}"));
                let lock = self.lock;
                out.push(Action::If {
                    sql,
                    lock,
                    then: self.steps(then)?,
                    otherwise: self.steps(otherwise)?,
                });
            }
            Node::Block(statements) => out.push(Action::Block(self.steps(statements)?)),
            Node::Begin => out.push(Action::Begin),
            Node::Commit => out.push(Action::Commit),
            Node::Rollback => out.push(Action::Rollback),
            Node::Exec { result, procedure, arguments } => {
                out.push(self.exec(result.as_deref(), procedure, arguments)?)
            }
            Node::RaisError(arguments) => {
                let mut parts = Vec::new();
                for argument in arguments {
                    parts.push(self.expr(argument)?.sql);
                }
                out.push(Action::RaisError(self.finish(format!("SELECT {}", parts.join(", ")))));
            }
            Node::Print(value) => {
                let value = convert(self.expr(value)?, Ty::nvarchar(4000), How::Cast(0))?;
                out.push(Action::Print(self.finish(format!("SELECT {}", value.sql))));
            }
            Node::Use(name) => {
                self.database.clone_from(name);
                out.push(Action::Use(name.clone()));
            }
            Node::Return => out.push(Action::Return),
            Node::CreateTable(_) | Node::CreateIndex(_) | Node::Alter(..) => {
                out.push(Action::Ddl(Box::new(node.clone())));
            }
            Node::Copying(what) => out.push(Action::Copying(what.clone())),
        }
        Ok(())
    }

    fn assign(&mut self, name: &str, value: &sqlparser::ast::Expr) -> SqlResult<Action> {
        let target = self.variable_index(name)?;
        let ty = self.variables.get(target).map_or(Ty::Null, |(_, ty)| *ty);
        let value = convert(self.expr(value)?, ty, How::Cast(0))?;
        let sql = self.finish(format!("SELECT {}", value.sql));
        Ok(Action::Assign { sql, targets: vec![target], lock: self.lock })
    }

    fn exec(&mut self, result: Option<&str>, procedure: &str, arguments: &[Argument]) -> SqlResult<Action> {
        let result = result.map(|name| self.variable_index(name)).transpose()?;
        let mut compiled = Vec::new();
        for argument in arguments {
            // a bare word is a text in EXEC
            let typed = match &argument.value {
                sqlparser::ast::Expr::Identifier(ident) if !ident.value.starts_with('@') => {
                    super::expr::text_literal(&ident.value, true)
                }
                value => self.expr(value)?,
            };
            compiled.push((argument.name.clone(), self.finish(format!("SELECT {}", typed.sql)), typed.ty));
        }
        Ok(Action::Exec { result, procedure: procedure.to_owned(), arguments: compiled })
    }

    /// Finds a table by its last name; `sys` and `INFORMATION_SCHEMA` keep theirs.
    pub(crate) fn table(&self, name: &str) -> SqlResult<Arc<Table>> {
        if name.starts_with('@') {
            let lower = name.to_lowercase();
            return self
                .table_variables
                .iter()
                .find(|(known, _)| *known == lower)
                .map(|(_, table)| Arc::clone(table))
                .ok_or_else(|| {
                    SqlError::new(1087, 15, format!("Must declare the table variable \"{name}\"."))
                });
        }
        let shop = super::catalog::DATABASES.first().is_some_and(|d| d.eq_ignore_ascii_case(&self.database));
        match self.catalog.table(name) {
            Some(table) if table.system || shop => Ok(Arc::clone(table)),
            _ => Err(SqlError::invalid_object(name)),
        }
    }

    pub(crate) fn variable_index(&self, name: &str) -> SqlResult<usize> {
        self.variables
            .iter()
            .position(|(known, _)| known.eq_ignore_ascii_case(name))
            .ok_or_else(|| SqlError::new(137, 15, format!("Must declare the scalar variable \"{name}\".")))
    }

    /// The place-holder for a slot; one slot has one place-holder, however often it is used.
    pub(crate) fn slot(&mut self, slot: Slot) -> String {
        let at = self.slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        });
        format!("?{}", at + 1)
    }

    pub(crate) fn finish(&mut self, text: String) -> Sql {
        Sql { text, slots: std::mem::take(&mut self.slots) }
    }
}

/// What a result calls the columns of a table.
pub(crate) fn column_infos(table: &Table) -> Vec<ColumnInfo> {
    table
        .columns
        .iter()
        .map(|Column { name, ty, identity, .. }| ColumnInfo {
            name: name.clone(),
            ty: *ty,
            identity: *identity,
        })
        .collect()
}

/// The database a three-part name is of, where it is not one of the server's own: one restored beside them.
pub(crate) fn restored_database(name: &sqlparser::ast::ObjectName) -> Option<String> {
    let [database, _, _] = name.0.as_slice() else { return None };
    let database = database.as_ident()?.value.to_lowercase();
    let own = super::catalog::DATABASES.iter().any(|known| known.eq_ignore_ascii_case(&database));
    (!own).then_some(database)
}

/// The name of a table as the catalog keeps it.
pub(crate) fn table_name(name: &sqlparser::ast::ObjectName) -> String {
    let last = types::last_name(name);
    let parts: Vec<String> =
        name.0.iter().filter_map(|p| p.as_ident().map(|i| i.value.to_lowercase())).collect();
    match parts.as_slice() {
        [.., schema, _] if schema == "sys" || schema == "information_schema" => format!("{schema}.{last}"),
        _ => last,
    }
}
