//! Runs compiled programs step by step, with SQL Server's rules for what an error ends.

use std::sync::atomic::Ordering;

use rusqlite::types::{Value, ValueRef};

use super::session::{Failure, Session, Sink, Stop};
use crate::sql::compile::{Action, Slot, Sql, Step, Write};
use crate::sql::convert::{How, Typed, convert};
use crate::sql::error::{SqlError, Written};
use crate::sql::parse::Setting;
use crate::sql::time;
use crate::sql::types::Ty;

/// How a batch goes on after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    /// RETURN, or an error that ends the batch.
    End,
}

/// The variables of a running batch.
struct Frame {
    values: Vec<Value>,
}

impl Session {
    /// Compiles and runs a batch. Parameters are given with the types they came in.
    pub(crate) fn batch(
        &mut self,
        sql: &str,
        declarations: &str,
        parameters: Vec<(Ty, Value)>,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let compiled = self.shared.program(&self.database, sql, declarations);
        let program = match compiled {
            Ok(program) => program,
            Err(error) => {
                self.report(&error, 1, sink);
                return Ok(());
            }
        };
        let mut values = Vec::with_capacity(program.variables.len());
        for (ty, (given, value)) in program.variables.iter().zip(parameters) {
            match self.fit_parameter(value, given, *ty) {
                Ok(value) => values.push(value),
                Err(Failure::Sql(error)) => {
                    self.report(&error, 1, sink);
                    return Ok(());
                }
                Err(Failure::Stop(stop)) => return Err(stop),
            }
        }
        values.resize(program.variables.len(), Value::Null);
        let mut frame = Frame { values };
        let attached = match self.attach_restored(sql) {
            Ok(attached) => attached,
            Err(Failure::Sql(error)) => {
                self.report(&error, 1, sink);
                return Ok(());
            }
            Err(Failure::Stop(stop)) => return Err(stop),
        };
        let ended = self.steps(&program.steps, &mut frame, sink).map(|_| ());
        self.detach(&attached);
        ended
    }

    fn steps(&mut self, steps: &[Step], frame: &mut Frame, sink: &mut dyn Sink) -> Result<Flow, Stop> {
        for step in steps {
            let ordered =
                self.shared.faults.statement(&step.text).map(|number| Failure::Sql(ordered_error(number)));
            let result = match ordered {
                Some(failure) => Err(failure),
                None => self.step(step, frame, sink),
            };
            match result {
                Ok(Flow::Next) => {}
                Ok(Flow::End) => return Ok(Flow::End),
                Err(Failure::Stop(stop)) => return Err(stop),
                Err(Failure::Sql(error)) => {
                    let raised = matches!(step.action, Action::RaisError(_));
                    if self.failed(&error, step.line, raised, sink) == Flow::End {
                        return Ok(Flow::End);
                    }
                }
            }
        }
        Ok(Flow::Next)
    }

    /// Tells the client of an error and undoes what the error undoes.
    pub(crate) fn failed(&mut self, error: &SqlError, line: u32, raised: bool, sink: &mut dyn Sink) -> Flow {
        self.report(error, line, sink);
        let abort = self.settings.xact_abort && !raised && !error.is_compile_time();
        if (abort || error.ends_transaction()) && self.depth > 0 {
            // the error already told is the one that counts
            let _ = self.rollback(sink);
        }
        if abort || (error.ends_batch() && !raised) { Flow::End } else { Flow::Next }
    }

    fn report(&mut self, error: &SqlError, line: u32, sink: &mut dyn Sink) {
        sink.error(error, line);
        if error.terminates_statement() {
            sink.error(&SqlError::new(3621, 0, "The statement has been terminated."), line);
        }
        self.last_error = error.number;
        self.row_count = 0;
        sink.done(None, false, true);
    }

    fn step(&mut self, step: &Step, frame: &mut Frame, sink: &mut dyn Sink) -> Result<Flow, Failure> {
        match &step.action {
            Action::Query { sql, columns, lock } => {
                let values = self.fill(sql, frame);
                let mut work = |session: &mut Self| {
                    sink.columns(columns)?;
                    session.read(&sql.text, &values, &mut |cells| sink.row(columns, cells))
                };
                let count = if *lock { self.locking(&mut work)? } else { work(self)? };
                self.done(count, true, sink);
            }
            Action::Assign { sql, targets, lock } => {
                let values = self.fill(sql, frame);
                let mut last: Option<Vec<Value>> = None;
                let mut work = |session: &mut Self| {
                    session.read(&sql.text, &values, &mut |cells| {
                        last = Some(cells.iter().map(|cell| owned(*cell)).collect());
                        Ok(())
                    })
                };
                let count = if *lock { self.locking(&mut work)? } else { work(self)? };
                for (target, value) in targets.iter().zip(last.into_iter().flatten()) {
                    if let Some(place) = frame.values.get_mut(*target) {
                        *place = value;
                    }
                }
                self.row_count = i64::try_from(count).unwrap_or(i64::MAX);
                self.last_error = 0;
            }
            Action::Write(write) => {
                let values = self.fill(&write.sql, frame);
                let count = self.write(write, &values, sink)?;
                self.done(count, false, sink);
            }
            Action::If { sql, lock, then, otherwise } => {
                let values = self.fill(sql, frame);
                let mut holds = false;
                let mut work = |session: &mut Self| {
                    session.read(&sql.text, &values, &mut |cells| {
                        holds = matches!(cells.first(), Some(ValueRef::Integer(number)) if *number != 0);
                        Ok(())
                    })
                };
                if *lock {
                    self.locking(&mut work)?
                } else {
                    work(self)?
                };
                let branch = if holds { then } else { otherwise };
                return Ok(self.steps(branch, frame, sink)?);
            }
            Action::Block(steps) => return Ok(self.steps(steps, frame, sink)?),
            Action::Begin => self.begin(sink),
            Action::Commit => self.commit(sink)?,
            Action::Rollback => self.rollback(sink)?,
            Action::Exec { result, procedure, arguments } => {
                let mut given = Vec::new();
                for (name, sql, ty) in arguments {
                    given.push((name.clone(), self.evaluate(sql, frame)?, *ty));
                }
                let code = self.procedure(procedure, &given)?;
                if let Some(place) = result.and_then(|at| frame.values.get_mut(at)) {
                    *place = Value::Integer(code);
                }
            }
            Action::RaisError(sql) => return self.raise(sql, frame, sink),
            Action::Print(sql) => {
                if let Value::Text(text) = self.evaluate(sql, frame)? {
                    sink.error(&SqlError::new(0, 0, text), step.line);
                }
            }
            Action::Use(name) => self.use_database(name, sink)?,
            Action::Return => return Ok(Flow::End),
            Action::TableVariable(ddl) => {
                self.store
                    .execute_batch(ddl)
                    .map_err(|error| self.failure(&error, &Written::default(), None))?;
            }
            Action::Ddl(node) => {
                let node = node.clone();
                let catalog = self.shared.catalog();
                let changed =
                    self.writing(|session| Ok(crate::sql::ddl::run(&session.store, &catalog, &node)?))?;
                self.shared.set_catalog(changed);
            }
            Action::Copying(what) => self.copying(what, sink)?,
            Action::Set(setting) => self.set(setting)?,
            Action::Raise(error) => return Err(error.clone().into()),
            Action::Nothing => {}
        }
        Ok(Flow::Next)
    }

    fn done(&mut self, count: u64, select: bool, sink: &mut dyn Sink) {
        self.row_count = i64::try_from(count).unwrap_or(i64::MAX);
        self.last_error = 0;
        let shown = if self.settings.no_count { None } else { Some(count) };
        sink.done(shown, select, false);
    }

    fn set(&mut self, setting: &Setting) -> Result<(), Failure> {
        match setting {
            Setting::XactAbort(on) => self.settings.xact_abort = *on,
            Setting::NoCount(on) => self.settings.no_count = *on,
            Setting::LockTimeout(milliseconds) => self.settings.lock_timeout = *milliseconds,
            Setting::IdentityInsert(table, true) => {
                if let Some(other) = &self.settings.identity_insert
                    && !other.eq_ignore_ascii_case(table)
                {
                    return Err(SqlError::new(
                        8107,
                        16,
                        format!(
                            "IDENTITY_INSERT is already ON for table 'Raintech_DB1.dbo.{other}'. Cannot perform SET \
                             operation for table '{table}'."
                        ),
                    )
                    .into());
                }
                self.settings.identity_insert = Some(table.clone());
            }
            Setting::IdentityInsert(table, false) => {
                self.settings.identity_insert.take_if(|on| on.eq_ignore_ascii_case(table));
            }
            Setting::Nothing => {}
        }
        Ok(())
    }

    fn use_database(&mut self, name: &str, sink: &mut dyn Sink) -> Result<(), Failure> {
        let known = crate::sql::catalog::DATABASES.iter().find(|known| known.eq_ignore_ascii_case(name));
        let Some(known) = known else {
            return Err(SqlError::new(
                911,
                16,
                format!("Database '{name}' does not exist. Make sure that the name is entered correctly."),
            )
            .into());
        };
        (*known).clone_into(&mut self.database);
        sink.database(known);
        Ok(())
    }

    fn raise(&mut self, sql: &Sql, frame: &Frame, sink: &mut dyn Sink) -> Result<Flow, Failure> {
        let mut parts = Vec::new();
        self.read(&sql.text, &self.fill(sql, frame), &mut |cells| {
            parts = cells.iter().map(|cell| owned(*cell)).collect();
            Ok(())
        })?;
        let mut parts = parts.into_iter();
        let message = match parts.next() {
            Some(Value::Text(text)) => text,
            _ => return Err(SqlError::unsupported("RAISERROR with a number").into()),
        };
        let class = match parts.next() {
            Some(Value::Integer(class)) => u8::try_from(class.clamp(0, 18)).unwrap_or(16),
            _ => 16,
        };
        let mut text = message;
        for value in parts.skip(1) {
            let shown = match value {
                Value::Text(text) => text,
                Value::Integer(number) => number.to_string(),
                _ => "(null)".to_owned(),
            };
            let place = [text.find("%s"), text.find("%d")].into_iter().flatten().min();
            if let Some(at) = place {
                text.replace_range(at..at + 2, &shown);
            }
        }
        let error = SqlError::new(50000, class, text);
        if class > 10 {
            return Err(error.into());
        }
        sink.error(&error, 1);
        Ok(Flow::Next)
    }

    /// Reads rows, one after the other.
    fn read(
        &self,
        sql: &str,
        values: &[Value],
        each: &mut dyn FnMut(&[ValueRef<'_>]) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let fail = |error: rusqlite::Error| self.failure(&error, &Written::default(), None);
        let mut statement = self.store.prepare_cached(sql).map_err(fail)?;
        let width = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(fail)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(fail)? {
            let cells =
                (0..width).map(|at| row.get_ref(at)).collect::<rusqlite::Result<Vec<_>>>().map_err(fail)?;
            each(&cells)?;
            count += 1;
        }
        Ok(count)
    }

    fn evaluate(&self, sql: &Sql, frame: &Frame) -> Result<Value, Failure> {
        let mut result = Value::Null;
        self.read(&sql.text, &self.fill(sql, frame), &mut |cells| {
            result = cells.first().map_or(Value::Null, |cell| owned(*cell));
            Ok(())
        })?;
        Ok(result)
    }

    fn write(&mut self, write: &Write, values: &[Value], sink: &mut dyn Sink) -> Result<u64, Failure> {
        self.shared.writes.fetch_add(1, Ordering::Relaxed);
        if let Some(explicit) = write.identity {
            let table = &write.written.table;
            let on =
                self.settings.identity_insert.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(table));
            if explicit && !on {
                return Err(SqlError::new(
                    544,
                    16,
                    format!("Cannot insert explicit value for identity column in table '{table}' when IDENTITY_INSERT is set to OFF."),
                )
                .into());
            }
            if !explicit && on {
                return Err(SqlError::new(
                    545,
                    16,
                    format!("Explicit value must be specified for identity column in table '{table}' when IDENTITY_INSERT is set to ON."),
                )
                .into());
            }
        }
        let count = if write.local {
            self.write_rows(write, values, sink)?
        } else {
            self.writing(|session| session.write_rows(write, values, sink))?
        };
        if write.identity.is_some() && count > 0 {
            self.scope_identity = Value::Integer(self.store.last_insert_rowid());
        }
        Ok(count)
    }

    fn write_rows(&self, write: &Write, values: &[Value], sink: &mut dyn Sink) -> Result<u64, Failure> {
        let fail =
            |error: rusqlite::Error| self.failure(&error, &write.written, write.primary_key.as_deref());
        let mut statement = self.store.prepare_cached(&write.sql.text).map_err(fail)?;
        let parameters = rusqlite::params_from_iter(values);
        if write.output.is_empty() {
            return Ok(u64::try_from(statement.execute(parameters).map_err(fail)?).unwrap_or(0));
        }
        let mut kept: Vec<Vec<Value>> = Vec::new();
        let mut rows = statement.query(parameters).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            let cells = (0..write.output.len())
                .map(|at| row.get(at))
                .collect::<rusqlite::Result<_>>()
                .map_err(fail)?;
            kept.push(cells);
        }
        drop(rows);
        match &write.into {
            Some(into) => {
                let mut keep = self.store.prepare_cached(into).map_err(fail)?;
                for row in &kept {
                    keep.execute(rusqlite::params_from_iter(row)).map_err(fail)?;
                }
            }
            None => {
                sink.columns(&write.output)?;
                for row in &kept {
                    let cells: Vec<ValueRef<'_>> = row.iter().map(ValueRef::from).collect();
                    sink.row(&write.output, &cells)?;
                }
            }
        }
        Ok(u64::try_from(kept.len()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "GETDATE() is the clock of the machine the server runs on")]
    /// The values of a step's place-holders.
    fn fill(&self, sql: &Sql, frame: &Frame) -> Vec<Value> {
        sql.slots
            .iter()
            .map(|slot| match slot {
                Slot::Variable(at) => frame.values.get(*at).cloned().unwrap_or(Value::Null),
                Slot::RowCount => Value::Integer(self.row_count),
                Slot::Error => Value::Integer(i64::from(self.last_error)),
                Slot::TranCount => Value::Integer(i64::from(self.depth)),
                Slot::ScopeIdentity => self.scope_identity.clone(),
                Slot::Spid => Value::Integer(i64::from(self.spid)),
                Slot::Now => Value::Integer(time::from_naive(chrono::Local::now().naive_local())),
                Slot::LockTimeout => Value::Integer(self.settings.lock_timeout),
            })
            .collect()
    }

    /// Brings a parameter from the type it came in to the type it was declared with.
    fn fit_parameter(&self, value: Value, given: Ty, declared: Ty) -> Result<Value, Failure> {
        let typed = convert(Typed::new("?1", given), declared, How::Cast(0))?;
        if typed.sql == "?1" {
            return Ok(value);
        }
        let frame = Frame { values: vec![value] };
        self.evaluate(&Sql { text: format!("SELECT {}", typed.sql), slots: vec![Slot::Variable(0)] }, &frame)
    }

    /// What an attention does to the transaction.
    pub(crate) fn attention(&mut self, sink: &mut dyn Sink) {
        if self.settings.xact_abort && self.depth > 0 {
            // the client asked to stop; there is nobody to tell of a failed rollback
            let _ = self.rollback(sink);
        }
    }
}

/// An error the control endpoint ordered, with the severity SQL Server gives that number.
pub(crate) fn ordered_error(number: i32) -> SqlError {
    match number {
        1205 => SqlError::deadlock(0),
        1222 => SqlError::lock_timeout(),
        8152 => SqlError::truncated(),
        _ => {
            let class = match number {
                2601 | 2627 | 229 => 14,
                1105 | 9002 | 701 => 17,
                596 | 6005 => 21,
                _ => 16,
            };
            SqlError::new(number, class, format!("Error {number}, as the control endpoint ordered."))
        }
    }
}

/// A cell kept beyond its row. The store's texts are UTF-8 by construction.
fn owned(cell: ValueRef<'_>) -> Value {
    Value::try_from(cell).unwrap_or(Value::Null)
}
