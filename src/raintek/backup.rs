//! RainTek's database backed up by SQL Server itself: its service writes and reads the files, so paths are its own.

use std::path::{MAIN_SEPARATOR, Path};
use std::time::Duration;

use async_trait::async_trait;
use tiberius::Row as SqlRow;
use tiberius::error::Error;

use super::RainTek;
use super::classify::classify;
use super::connect::{Sql, Target};
use super::statement::quoted;
use super::values::row;
use crate::model::backup::{RowRange, Trial};
use crate::model::bill::Value;
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::schema::SchemaDump;
use crate::ports::backup::{Percent, PosBackup};

/// The database of a trial restore. Nobody else's is called so.
const DRILL: &str = "ShopSync_Drill";
/// Between two looks at how far the server is.
const LOOK: Duration = Duration::from_millis(500);

#[async_trait]
impl PosBackup for RainTek {
    async fn back_up(&self, file: &Path, percent: Percent<'_>) -> Result<RowRange, Fault> {
        let mut sql = self.target.untimed().connect().await?;
        let database = self.target.database();
        let session = number(&mut sql, "SELECT CAST(@@SPID AS int)").await?;
        let before = bills(&mut sql, database).await?;
        let text = format!(
            "BACKUP DATABASE {} TO DISK = {} WITH COPY_ONLY, CHECKSUM, INIT, FORMAT, NAME = N'ShopSync'",
            quoted(database),
            literal(file)
        );
        tokio::select! {
            done = run(&mut sql, &text, file) => done?,
            () = watch(&self.target, session, percent) => {}
        }
        let after = bills(&mut sql, database).await?;
        Ok(RowRange::between(before, after))
    }

    async fn verify(&self, file: &Path) -> Result<(), Fault> {
        let mut sql = self.target.untimed().connect().await?;
        run(&mut sql, &format!("RESTORE VERIFYONLY FROM DISK = {} WITH CHECKSUM", literal(file)), file)
            .await?;
        let header =
            rows(&mut sql, &format!("RESTORE HEADERONLY FROM DISK = {}", literal(file)), file).await?;
        let header = header.first().map(row).transpose()?.unwrap_or_default();
        let (found, checked) = (header.text("DatabaseName"), header.get("HasBackupChecksums"));
        if !found.trim().eq_ignore_ascii_case(self.target.database()) || checked != Some(&Value::Bit(true)) {
            return Err(damaged(file).detail(format!("of {found}, checksums {checked:?}")));
        }
        Ok(())
    }

    async fn restore_trial(&self, file: &Path, folder: &Path, room: u64) -> Result<Trial, Fault> {
        let mut sql = self.target.untimed().connect().await?;
        let list = format!("RESTORE FILELISTONLY FROM DISK = {}", literal(file));
        let (mut moves, mut needed) = (Vec::new(), 0_u64);
        for (at, found) in rows(&mut sql, &list, file).await?.iter().enumerate() {
            let found = row(found)?;
            needed = needed.saturating_add(u64::try_from(found.decimal("Size").round()).unwrap_or_default());
            let ending = match found.text("Type").trim() {
                "D" => "mdf",
                "L" => "ldf",
                kind => {
                    return Ok(Trial::Skipped(format!("RainTek's database has files of the kind {kind}.")));
                }
            };
            let place = folder.join(format!("{DRILL}_{at}.{ending}"));
            let logical = found.text("LogicalName").replace('\'', "''");
            moves.push(format!("MOVE N'{logical}' TO {}", literal(&place)));
        }
        if needed > room {
            return Ok(Trial::Skipped("The disk has no room for a trial restore of RainTek.".into()));
        }
        let text = format!(
            "RESTORE DATABASE {} FROM DISK = {} WITH {}, REPLACE",
            quoted(DRILL),
            literal(file),
            moves.join(", ")
        );
        match run(&mut sql, &text, file).await {
            Ok(()) => {}
            Err(fault) if matches!(fault.code, Some(229 | 262 | 300 | 3110 | 5123 | 5133)) => {
                return Ok(Trial::Skipped(
                    "The SQL login may not make databases for a trial restore.".into(),
                ));
            }
            Err(fault) if matches!(fault.code, Some(3257 | 1827 | 5149)) => {
                return Ok(Trial::Skipped("There is no room for a trial restore of RainTek.".into()));
            }
            Err(fault) => {
                // What it left behind, if anything; why it failed is what counts.
                let _ = drop_drill(&mut sql, file).await;
                return Err(fault);
            }
        }
        let counted = bills(&mut sql, DRILL).await;
        drop_drill(&mut sql, file).await?;
        counted.map(Trial::Restored)
    }

    async fn dump(&self) -> Result<SchemaDump, Fault> {
        let mut sql = self.target.connect().await?;
        super::dump::dump(&mut sql).await
    }
}

async fn drop_drill(sql: &mut Sql, file: &Path) -> Result<(), Fault> {
    run(sql, &format!("DROP DATABASE {}", quoted(DRILL)), file).await.map_err(|fault| Fault {
        sentence: format!("The trial database {DRILL} could not be removed from SQL Server."),
        ..fault
    })
}

/// Looks at how far the server is, for ever; a login that may not see it shows nothing.
async fn watch(target: &Target, session: u64, percent: Percent<'_>) {
    let look = format!(
        "SELECT CAST(percent_complete AS int) FROM sys.dm_exec_requests WHERE session_id = {session}"
    );
    if let Ok(mut sql) = target.connect().await {
        while let Ok(done) = number(&mut sql, &look).await {
            percent(u8::try_from(done.min(100)).unwrap_or(100));
            tokio::time::sleep(LOOK).await;
        }
    }
    std::future::pending().await
}

/// How many bills stand in a database. No lock: the till does not wait for a count.
async fn bills(sql: &mut Sql, database: &str) -> Result<u64, Fault> {
    let table = format!("{}.[dbo].[InvoiceInfo]", quoted(database));
    number(sql, &format!("SELECT COUNT(*) FROM {table} WITH (NOLOCK)")).await
}

async fn number(sql: &mut Sql, text: &str) -> Result<u64, Fault> {
    let answer = sql.simple_query(text).await.map_err(|error| classify(&error))?;
    let found = answer.into_row().await.map_err(|error| classify(&error))?;
    Ok(found
        .and_then(|row| row.try_get::<i32, _>(0).ok().flatten())
        .map_or(0, |n| u64::try_from(n).unwrap_or(0)))
}

async fn run(sql: &mut Sql, text: &str, file: &Path) -> Result<(), Fault> {
    rows(sql, text, file).await.map(|_| ())
}

async fn rows(sql: &mut Sql, text: &str, file: &Path) -> Result<Vec<SqlRow>, Fault> {
    let answer = sql.simple_query(text).await.map_err(|error| explain(&error, file))?;
    answer.into_first_result().await.map_err(|error| explain(&error, file))
}

/// What SQL Server said of a backup, with the cure.
fn explain(error: &Error, file: &Path) -> Fault {
    let Error::Server(token) = error else { return classify(error) };
    let (code, message) = (token.code(), token.message());
    let folder = file.parent().unwrap_or(file).display();
    let other = "or name another folder in the settings (backup.folder)";
    let config =
        |sentence: String| Fault::new(FaultKind::Config, Scope::Item, sentence).action(Action::FixServer);
    let fault = match (code, os_error(message)) {
        (3201, Some(5)) => config(format!(
            "SQL Server may not write into {folder}: give the account of its service the right to, {other}."
        )),
        (3201, Some(2 | 3 | 21 | 53 | 67)) => {
            config(format!("SQL Server does not find the folder {folder}: make it again, {other}."))
        }
        (3202 | 3257 | 3201, Some(112)) | (3257, _) => {
            config(format!("The disk of {folder} is full: free some space, {other}."))
        }
        (229 | 262 | 300 | 3110, _) => {
            config("The SQL login may not make backups: give it the role db_backupoperator.".into())
        }
        (3183 | 3189 | 3203 | 3241 | 3242 | 3251 | 3270, _) => damaged(file),
        (3201 | 3202 | 3271, _) => {
            config(format!("SQL Server cannot use {}: look at its disk, {other}.", file.display()))
        }
        (3000..3300, _) => {
            Fault::new(FaultKind::Transient, Scope::Item, "SQL Server gave the backup of RainTek up.")
        }
        _ => classify(error),
    };
    fault.detail(format!("{code}: {message}")).code(code)
}

fn damaged(file: &Path) -> Fault {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".part");
    Fault::new(
        FaultKind::Permanent,
        Scope::Item,
        format!("The backup {name} is damaged; a new one is needed."),
    )
}

/// `Operating system error 5(Access is denied.)`, `failed: 112(There is not enough space on the disk.)`
fn os_error(message: &str) -> Option<u32> {
    let rest = ["system error ", "failed: "]
        .iter()
        .find_map(|mark| message.split_once(mark).map(|(_, rest)| rest))?;
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// A path as a T-SQL text, with the separators of the system it is meant for.
fn literal(path: &Path) -> String {
    let text = path.display().to_string();
    let text = if MAIN_SEPARATOR == '\\' { text.replace('/', "\\") } else { text };
    format!("N'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_error_is_read_out_of_the_servers_words() {
        let open = "Cannot open backup device 'D:\\B\\x.bak'. Operating system error 5(Access is denied.).";
        assert_eq!(os_error(open), Some(5));
        assert_eq!(os_error("Write on \"x\" failed: 112(There is not enough space on the disk.)"), Some(112));
        assert_eq!(os_error("Read on \"x\" failed: 38(Reached the end of the file.)"), Some(38));
        assert_eq!(os_error("BACKUP DATABASE is terminating abnormally."), None);
    }

    #[test]
    fn a_path_cannot_end_its_text() {
        assert_eq!(literal(Path::new("a'b")), "N'a''b'");
    }
}
