//! How an SQL Server of this PC is made to listen to TCP, which Express does not by default. Built as a value: it is
//! shown before it is run, and whoever runs it needs the rights of an administrator.

use crate::ports::setup::Instance;

/// What would be run, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchOn {
    /// Windows' own program.
    pub program: String,
    /// Its arguments, each as a whole.
    pub arguments: Vec<String>,
    /// The port that the server then listens on.
    pub port: u16,
    /// What is done and what it costs, for a person, beforehand.
    pub sentence: String,
}

/// How, on this port. `None` where the instance cannot be meant: its names go into a command.
pub fn switch_on(instance: &Instance, port: u16) -> Option<SwitchOn> {
    let fine = |text: &str| {
        !text.is_empty()
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '$'))
    };
    if !fine(&instance.name) || !fine(&instance.id) {
        return None;
    }
    let service = if instance.name.eq_ignore_ascii_case("MSSQLSERVER") {
        "MSSQLSERVER".to_owned()
    } else {
        format!("MSSQL${}", instance.name)
    };
    let key = format!(
        r"HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server\{}\MSSQLServer\SuperSocketNetLib\Tcp",
        instance.id
    );
    // One address of this PC alone would do for ShopSync; the tills of the shop may want it, too, and Windows'
    // firewall keeps others out as long as nobody opens it.
    let script = format!(
        "$ErrorActionPreference = 'Stop'; \
         Set-ItemProperty -Path '{key}' -Name Enabled -Value 1; \
         Set-ItemProperty -Path '{key}\\IPAll' -Name TcpPort -Value '{port}'; \
         Set-ItemProperty -Path '{key}\\IPAll' -Name TcpDynamicPorts -Value ''; \
         Restart-Service -Name '{service}' -Force; \
         exit 0"
    );
    Some(SwitchOn {
        program: r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe".to_owned(),
        arguments: ["-NoProfile", "-NonInteractive", "-WindowStyle", "Hidden", "-Command"]
            .into_iter()
            .map(str::to_owned)
            .chain([script])
            .collect(),
        port,
        sentence: format!(
            "RainTek's SQL Server ({service}) is told to listen to TCP on port {port} of this PC, and is started \
             again for it. Close RainTek on every PC first: for about half a minute it cannot save. Windows will ask \
             for an administrator's permission."
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_as_it_was_looked_at() {
        let express = Instance {
            name: "SQLEXPRESS".into(),
            id: "MSSQL15.SQLEXPRESS".into(),
            tcp: Some(false),
            port: None,
        };
        let made = switch_on(&express, 14_330).unwrap();
        let whole = format!("{}\n{}\n\n{}\n", made.program, made.arguments.join("\n"), made.sentence);
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/switch_tcp_on.txt");
        if std::env::var_os("SHOPSYNC_BLESS").is_some() {
            std::fs::write(golden, &whole).unwrap();
        }
        assert_eq!(whole, std::fs::read_to_string(golden).unwrap().replace("\r\n", "\n"));
    }

    #[test]
    fn a_name_that_could_be_a_command_is_none() {
        for (name, id) in
            [("SQL'; Remove-Item C:\\", "MSSQL15.X"), ("X", "..\\..\\Run"), ("", ""), ("A B", "MSSQL")]
        {
            let odd = Instance { name: name.into(), id: id.into(), ..Instance::default() };
            assert_eq!(switch_on(&odd, 1433), None, "{name} {id}");
        }
    }
}
