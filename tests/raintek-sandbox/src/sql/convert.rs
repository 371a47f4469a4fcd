//! From one type to another, as SQL the store runs.

use super::error::{SqlError, SqlResult};
use super::natives;
use super::types::Ty;

/// An expression in SQLite's SQL, and the T-SQL type it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) sql: String,
    pub(crate) ty: Ty,
}

impl Typed {
    pub(crate) fn new(sql: impl Into<String>, ty: Ty) -> Self {
        Self { sql: sql.into(), ty }
    }
}

/// Why something is converted, which decides what may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Into a column or a variable; a text too long for a column fails.
    Store,
    /// CAST or CONVERT with a style: texts are cut.
    Cast(i64),
    /// To compare: nothing may be lost, so nothing is cut or rounded.
    Compare,
}

/// Converts, or says which conversion SQL Server does not do.
pub(crate) fn convert(from: Typed, to: Ty, how: How) -> SqlResult<Typed> {
    let Typed { sql, ty } = from;
    let converted = match (ty, to) {
        (Ty::Null, _) => sql,
        (Ty::Str(a), Ty::Str(b)) => {
            let narrower = match (a.max, b.max) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(a), Some(b)) => b < a,
            };
            let padded = b.fixed && !(a.fixed && a.max == b.max);
            if how != How::Compare && (narrower || padded || (a.unicode && !b.unicode)) {
                let flags = natives::text_flags(b, matches!(how, How::Cast(_)));
                format!("t_str({sql}, {}, {flags})", b.max.map_or(-1, i64::from))
            } else {
                sql
            }
        }
        (Ty::Bin(_) | Ty::Image, Ty::Bin(Some(max))) => {
            format!("t_bin({sql}, {max}, {})", u8::from(matches!(how, How::Cast(_))))
        }
        (Ty::Bin(_) | Ty::Image, Ty::Bin(None) | Ty::Image) => sql,
        (a, b) if a == b => sql,
        (Ty::Bit, Ty::Int(_)) => sql,
        (Ty::Int(_) | Ty::Dec { .. } | Ty::Float, Ty::Bit) => format!("({sql} <> 0)"),
        (Ty::Str(_), Ty::Bit) => format!("(t_s2i({sql}, 4, '{}') <> 0)", ty.name()),
        (Ty::Int(a), Ty::Int(b)) if a <= b => sql,
        (Ty::Int(_), Ty::Int(b)) => format!("t_int({sql}, {b})"),
        (Ty::Int(_) | Ty::Bit | Ty::Dec { .. }, Ty::Dec { p, s }) => {
            let (p1, s1) = ty.digits();
            let fits = p.saturating_sub(s) >= p1.saturating_sub(s1);
            if s == s1 && fits {
                sql
            } else if s > s1 && (fits || how == How::Compare) {
                format!("({sql} * {})", natives::power(i64::from(s - s1)))
            } else {
                format!("t_dec({sql}, {s1}, {p}, {s})")
            }
        }
        (Ty::Dec { s, .. }, Ty::Int(width)) => format!("t_d2i({sql}, {s}, {width})"),
        (Ty::Float, Ty::Dec { p, s }) => format!("t_f2d({sql}, {p}, {s})"),
        (Ty::Float, Ty::Int(width)) => format!("t_f2i({sql}, {width})"),
        (Ty::Int(_) | Ty::Bit, Ty::Float) => format!("CAST({sql} AS REAL)"),
        (Ty::Dec { s, .. }, Ty::Float) => format!("t_d2f({sql}, {s})"),
        (Ty::Str(_), Ty::Int(width)) => format!("t_s2i({sql}, {width}, '{}')", ty.name()),
        (Ty::Str(_), Ty::Dec { p, s }) => format!("t_s2d({sql}, {p}, {s}, 0)"),
        (Ty::Str(_), Ty::Float) => format!("t_s2f({sql})"),
        (Ty::Str(_), _) if to.is_time() => format!("t_s2t({sql}, {})", natives::moment_code(to)),
        (_, Ty::Str(_)) if !matches!(ty, Ty::Bin(_) | Ty::Image | Ty::Float) => {
            let style = if let How::Cast(style) = how { style } else { 0 };
            let text = match ty {
                Ty::Dec { s, .. } => format!("t_d2s({sql}, {s})"),
                _ if ty.is_time() => format!("t_t2s({sql}, {}, {style})", natives::moment_code(ty)),
                _ => format!("CAST({sql} AS TEXT)"),
            };
            return convert(Typed::new(text, Ty::nvarchar(4000)), to, how);
        }
        (a, b) if a.is_time() && b.is_time() => {
            if how == How::Compare || (a, b) == (Ty::DateTime, Ty::DateTime2(7)) {
                sql
            } else {
                format!("t_fit({sql}, {})", natives::moment_code(to))
            }
        }
        (a, b) => {
            return Err(SqlError::new(
                206,
                16,
                format!("Operand type clash: {} is incompatible with {}", a.name(), b.name()),
            ));
        }
    };
    Ok(Typed::new(converted, to))
}

/// Brings both sides to one type.
pub(crate) fn meet(left: Typed, right: Typed) -> SqlResult<(Typed, Typed)> {
    let ty = left.ty.common(right.ty);
    if ty.is_text() || ty == Ty::Null {
        return Ok((left, right));
    }
    Ok((convert(left, ty, How::Compare)?, convert(right, ty, How::Compare)?))
}
