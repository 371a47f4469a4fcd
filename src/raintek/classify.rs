//! An error of SQL Server or of the way to it, as a fault.

use tiberius::error::Error;

use crate::model::fault::{Action, Fault, FaultKind, Scope};

/// What SQL Server said, once and for all in the terms that decide what happens next.
pub(super) fn classify(error: &Error) -> Fault {
    match error {
        Error::Server(token) => {
            server(token.code()).detail(format!("{}: {}", token.code(), token.message())).code(token.code())
        }
        Error::Io { message, .. } => unreachable(message),
        Error::Tls(message) => {
            Fault::transient(Scope::Pos, "The connection to RainTek's database broke.").detail(message)
        }
        Error::Conversion(_) | Error::Encoding(_) | Error::Utf8 | Error::Utf16 | Error::ParseInt(_) => {
            Fault::new(
                FaultKind::Schema,
                Scope::Pos,
                "RainTek's database answered with a value of an unexpected type.",
            )
            .detail(error)
        }
        other => Fault::transient(Scope::Pos, "The connection to RainTek's database broke.").detail(other),
    }
}

/// Nobody answers there.
pub(super) fn unreachable(detail: &str) -> Fault {
    Fault::transient(Scope::Pos, "RainTek's database is not answering.").detail(detail)
}

fn server(code: u32) -> Fault {
    use FaultKind::{Config, Data, Permanent, Schema, Transient};
    let fault = |kind, scope, sentence: &str| Fault::new(kind, scope, sentence);
    match code {
        18456 => fault(Config, Scope::Pos, "RainTek's server refuses the login."),
        4060 | 911 => fault(Config, Scope::Pos, "RainTek's database was not found on the server."),
        229 | 230 | 262 | 300 => {
            fault(Config, Scope::Pos, "The login may not do this in RainTek's database.")
        }
        1205 | 1222 | 3960 => {
            fault(Transient, Scope::Item, "RainTek's database was busy with the same rows. Trying again.")
        }
        2627 | 2601 => {
            fault(Transient, Scope::Item, "RainTek took the same number at that moment. Trying again.")
        }
        515 | 547 | 8152 | 2628 | 245 | 8114 | 8115 | 220 | 241 | 242 | 8134 => {
            fault(Data, Scope::Item, "RainTek's database does not accept a value of this invoice.")
        }
        207 | 208 | 213 => fault(
            Schema,
            Scope::Pos,
            "RainTek's database looks different from what was read when connecting.",
        ),
        1105 | 9002 | 1101 => {
            fault(Transient, Scope::Pos, "RainTek's database has no space left.").action(Action::FixServer)
        }
        601 | 701 | 8645 | 8651 | 596 | 6005 | 233 | 64 | 20 | 121 | 10053 | 10054 | 10060 | 40613 | 4221 => {
            fault(Transient, Scope::Pos, "RainTek's database is not answering.")
        }
        // What nobody has classified concerns this item; an outage is recognised by the probes.
        _ => fault(Permanent, Scope::Item, "RainTek's database refused this invoice."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FaultKind::{Config, Data, Permanent, Schema, Transient};

    #[test]
    fn every_listed_error_has_its_kind() {
        let table: [(&[u32], FaultKind, Scope); 8] = [
            (&[1205, 1222, 3960, 2627, 2601], Transient, Scope::Item),
            (&[601, 701, 8645, 8651, 596, 6005, 233, 64, 20, 121], Transient, Scope::Pos),
            (&[10053, 10054, 10060, 40613, 4221, 1105, 9002, 1101], Transient, Scope::Pos),
            (&[18456, 4060, 229, 911], Config, Scope::Pos),
            (&[515, 547, 8152, 2628, 245, 8114, 8115, 220, 241], Data, Scope::Item),
            (&[207, 208, 213], Schema, Scope::Pos),
            (&[50000, 102], Permanent, Scope::Item),
            (&[], Permanent, Scope::Item),
        ];
        for (codes, kind, scope) in table {
            for code in codes {
                let fault = server(*code);
                assert_eq!((fault.kind, fault.scope), (kind, scope), "{code}");
            }
        }
    }

    #[test]
    fn a_dead_connection_blames_no_invoice() {
        let error = Error::Io { kind: std::io::ErrorKind::ConnectionReset, message: "reset".into() };
        let fault = classify(&error);
        assert!(fault.is_outage());
        assert_eq!(fault.kind, Transient);
    }
}
