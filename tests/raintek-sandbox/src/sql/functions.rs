//! The functions of T-SQL that clients here call. One not named is error 195, as an old server answers.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};

use super::compile::{Compiler, Slot};
use super::convert::{How, Typed, convert};
use super::error::{SqlError, SqlResult};
use super::expr::text_literal;
use super::time;
use super::types::{self, Text, Ty};

impl Compiler<'_> {
    pub(crate) fn function(&mut self, function: &Function) -> SqlResult<Typed> {
        let name = types::last_name(&function.name).to_ascii_uppercase();
        let unknown =
            || SqlError::new(195, 15, format!("'{name}' is not a recognized built-in function name."));
        let (args, distinct) = match &function.args {
            FunctionArguments::None => (Vec::new(), false),
            FunctionArguments::List(list) => {
                let args = list
                    .args
                    .iter()
                    .map(|arg| match arg {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(Some(expr)),
                        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Ok(None),
                        _ => Err(unknown()),
                    })
                    .collect::<SqlResult<Vec<_>>>()?;
                (args, list.duplicate_treatment == Some(DuplicateTreatment::Distinct))
            }
            FunctionArguments::Subquery(_) => return Err(unknown()),
        };
        if function.over.is_some() {
            return Err(SqlError::unsupported("OVER"));
        }
        if matches!(name.as_str(), "COUNT" | "COUNT_BIG" | "SUM" | "MIN" | "MAX" | "AVG") {
            return self.aggregate(&name, &args, distinct);
        }
        let args: Vec<&Expr> = args.into_iter().collect::<Option<_>>().ok_or_else(unknown)?;
        if let Some(typed) = self.date_function(&name, &args)? {
            return Ok(typed);
        }
        let typed = args.iter().map(|arg| self.expr(arg)).collect::<SqlResult<Vec<_>>>()?;
        if let Some(found) = self.text_function(&name, &typed)? {
            return Ok(found);
        }
        match (name.as_str(), typed.as_slice()) {
            ("ISNULL", [value, other]) => {
                if value.ty == Ty::Null {
                    return Ok(other.clone());
                }
                let other = convert(other.clone(), value.ty, How::Cast(0))?;
                Ok(Typed::new(format!("ifnull({}, {})", value.sql, other.sql), value.ty))
            }
            ("COALESCE", [_, _, ..]) => {
                let ty = typed.iter().fold(Ty::Null, |ty, value| ty.common(value.ty));
                let values = typed
                    .iter()
                    .map(|value| convert(value.clone(), ty, How::Cast(0)).map(|value| value.sql))
                    .collect::<SqlResult<Vec<_>>>()?;
                Ok(Typed::new(format!("coalesce({})", values.join(", ")), ty))
            }
            ("NULLIF", [value, other]) => {
                let equal = super::expr::compare(value.clone(), "=", other.clone())?;
                Ok(Typed::new(format!("(CASE WHEN {equal} THEN NULL ELSE {} END)", value.sql), value.ty))
            }
            // A character by its number, also the one that no statement's text can carry.
            ("NCHAR", [value]) => Ok(Typed::new(format!("char({})", value.sql), text_literal("x", true).ty)),
            ("ABS", [value]) => Ok(Typed::new(format!("abs({})", value.sql), value.ty)),
            ("ROUND", [value, places]) => round(value, &places.sql, "0"),
            ("ROUND", [value, places, cut]) => round(value, &places.sql, &cut.sql),
            ("SCOPE_IDENTITY", []) => Ok(Typed::new(self.slot(Slot::ScopeIdentity), Ty::Dec { p: 38, s: 0 })),
            ("DB_NAME", []) => Ok(text_literal(&self.database.clone(), true)),
            ("SUSER_SNAME" | "SYSTEM_USER" | "ORIGINAL_LOGIN", []) => Ok(text_literal("sa", true)),
            ("OBJECT_ID" | "COLUMNPROPERTY" | "SERVERPROPERTY", _) => self.metadata(&name, &args),
            _ => Err(unknown()),
        }
    }

    fn aggregate(&mut self, name: &str, args: &[Option<&Expr>], distinct: bool) -> SqlResult<Typed> {
        let count = |name: &str| if name == "COUNT" { Ty::INT } else { Ty::BIGINT };
        let value = match args {
            [None] if name.starts_with("COUNT") => return Ok(Typed::new("count(*)", count(name))),
            [Some(expr)] => {
                self.in_aggregate += 1;
                let value = self.expr(expr);
                self.in_aggregate -= 1;
                value?
            }
            _ => {
                return Err(SqlError::new(
                    174,
                    15,
                    format!("The {} function requires 1 argument(s).", name.to_lowercase()),
                ));
            }
        };
        let collate = if value.ty.is_text() { " COLLATE T" } else { "" };
        let inner = format!("{}{}{collate}", if distinct { "DISTINCT " } else { "" }, value.sql);
        let (_, s) = value.ty.digits();
        Ok(match (name, value.ty) {
            ("COUNT" | "COUNT_BIG", _) => Typed::new(format!("count({inner})"), count(name)),
            ("MIN", ty) => Typed::new(format!("min({inner})"), ty),
            ("MAX", ty) => Typed::new(format!("max({inner})"), ty),
            ("SUM", Ty::Dec { .. }) => Typed::new(format!("sum({inner})"), Ty::Dec { p: 38, s }),
            ("SUM", Ty::Int(8)) => Typed::new(format!("sum({inner})"), Ty::BIGINT),
            ("SUM", Ty::Int(_)) => Typed::new(format!("t_int(sum({inner}), 4)"), Ty::INT),
            ("SUM", Ty::Float) => Typed::new(format!("sum({inner})"), Ty::Float),
            ("AVG", Ty::Dec { .. }) => {
                let to = s.max(6);
                Typed::new(
                    format!("t_div(sum({inner}), {s}, count({inner}), 0, {to})"),
                    Ty::Dec { p: 38, s: to },
                )
            }
            ("AVG", Ty::Int(_)) => {
                Typed::new(format!("t_div(sum({inner}), 0, count({inner}), 0, 0)"), value.ty)
            }
            (_, ty) => {
                return Err(SqlError::new(
                    8117,
                    16,
                    format!(
                        "Operand data type {} is invalid for {} operator.",
                        ty.name(),
                        name.to_lowercase()
                    ),
                ));
            }
        })
    }

    fn text_function(&mut self, name: &str, args: &[Typed]) -> SqlResult<Option<Typed>> {
        let text = |typed: &Typed| {
            if typed.ty.is_text() {
                Ok(typed.clone())
            } else {
                convert(typed.clone(), Ty::nvarchar(4000), How::Cast(0))
            }
        };
        let loose = |typed: &Typed| match typed.ty {
            Ty::Str(text) => Ty::Str(Text { fixed: false, ..text }),
            _ => Ty::nvarchar(4000),
        };
        Ok(Some(match (name, args) {
            ("RTRIM" | "LTRIM", [value]) => {
                let value = text(value)?;
                Typed::new(format!("{}({})", name.to_lowercase(), value.sql), loose(&value))
            }
            ("UPPER" | "LOWER", [value]) => {
                let value = text(value)?;
                Typed::new(format!("t_{}({})", name.to_lowercase(), value.sql), loose(&value))
            }
            ("LEN", [value]) => Typed::new(format!("t_len({})", text(value)?.sql), Ty::INT),
            ("DATALENGTH", [value]) => {
                let bytes = match value.ty {
                    Ty::Str(Text { unicode: true, .. }) => 2,
                    Ty::Str(_) | Ty::Bit => 1,
                    Ty::Int(width) => width,
                    Ty::Date => 3,
                    Ty::Dec { p, .. } => {
                        if p < 10 {
                            5
                        } else {
                            9
                        }
                    }
                    _ => 8,
                };
                Typed::new(format!("t_bytes({}, {bytes})", value.sql), Ty::INT)
            }
            ("LEFT", [value, length]) => {
                return self.substring(text(value)?, Typed::new("1", Ty::INT), length.clone()).map(Some);
            }
            ("SUBSTRING", [value, from, length]) => {
                return self.substring(text(value)?, from.clone(), length.clone()).map(Some);
            }
            ("RIGHT", [value, length]) => {
                let value = text(value)?;
                let length = convert(length.clone(), Ty::BIGINT, How::Cast(0))?;
                Typed::new(format!("t_right({}, {})", value.sql, length.sql), loose(&value))
            }
            ("REPLACE", [value, from, to]) => {
                let (value, from, to) = (text(value)?, text(from)?, text(to)?);
                Typed::new(format!("t_replace({}, {}, {})", value.sql, from.sql, to.sql), Ty::nvarchar(4000))
            }
            ("REPLICATE", [value, times]) => {
                let (value, times) = (text(value)?, convert(times.clone(), Ty::INT, How::Cast(0))?);
                Typed::new(
                    format!("replace(printf('%.*c', {}, 'x'), 'x', {})", times.sql, value.sql),
                    Ty::nvarchar(4000),
                )
            }
            ("CHARINDEX", [wanted, value]) => {
                Typed::new(format!("t_charindex({}, {})", text(wanted)?.sql, text(value)?.sql), Ty::INT)
            }
            _ => return Ok(None),
        }))
    }

    pub(crate) fn substring(&mut self, value: Typed, from: Typed, length: Typed) -> SqlResult<Typed> {
        let ty = match value.ty {
            Ty::Str(text) => Ty::Str(Text { fixed: false, ..text }),
            _ => {
                return Err(SqlError::new(
                    8116,
                    16,
                    "Argument data type is invalid for argument 1 of substring function.",
                ));
            }
        };
        let (from, length) =
            (convert(from, Ty::BIGINT, How::Cast(0))?, convert(length, Ty::BIGINT, How::Cast(0))?);
        Ok(Typed::new(format!("t_substr({}, {}, {})", value.sql, from.sql, length.sql), ty))
    }

    pub(crate) fn rounded_up_or_down(&mut self, expr: &Expr, up: bool) -> SqlResult<Typed> {
        let value = self.expr(expr)?;
        let Ty::Dec { p, s } = value.ty else { return Ok(value) };
        let (unit, sql) = (super::natives::power(i64::from(s)), value.sql);
        let step = if up { "+ 1" } else { "- 1" };
        let beyond = if up { ">" } else { "<" };
        Ok(Typed::new(
            format!("({sql} / {unit} + (CASE WHEN {sql} % {unit} {beyond} 0 THEN 0 {step} ELSE 0 END))"),
            Ty::Dec { p: p - s.min(p - 1), s: 0 },
        ))
    }

    fn date_function(&mut self, name: &str, args: &[&Expr]) -> SqlResult<Option<Typed>> {
        let part = |expr: &Expr| {
            time::part_name(&expr.to_string()).ok_or_else(|| {
                SqlError::new(155, 15, format!("'{expr}' is not a recognized datepart option."))
            })
        };
        let moment = |compiler: &mut Self, expr: &Expr| {
            let typed = compiler.expr(expr)?;
            if typed.ty.is_time() { Ok(typed) } else { convert(typed, Ty::DateTime, How::Cast(0)) }
        };
        Ok(Some(match (name, args) {
            ("GETDATE" | "CURRENT_TIMESTAMP", []) => {
                let now = self.slot(Slot::Now);
                Typed::new(format!("t_fit({now}, 101)"), Ty::DateTime)
            }
            ("DATEADD", [unit, number, at]) => {
                let (number, at) = (self.expr(number)?, moment(self, at)?);
                let number = convert(number, Ty::INT, How::Cast(0))?;
                Typed::new(format!("t_dateadd('{}', {}, {})", part(unit)?, number.sql, at.sql), at.ty)
            }
            ("DATEDIFF", [unit, from, to]) => {
                let (from, to) = (moment(self, from)?, moment(self, to)?);
                Typed::new(format!("t_datediff('{}', {}, {})", part(unit)?, from.sql, to.sql), Ty::INT)
            }
            ("DATEPART", [unit, at]) => {
                let at = moment(self, at)?;
                Typed::new(format!("t_part('{}', {})", part(unit)?, at.sql), Ty::INT)
            }
            ("YEAR" | "MONTH" | "DAY", [at]) => {
                let at = moment(self, at)?;
                Typed::new(format!("t_part('{}', {})", name.to_lowercase(), at.sql), Ty::INT)
            }
            _ => return Ok(None),
        }))
    }

    /// Functions about tables and the server, answered while compiling: their arguments must be literals.
    fn metadata(&self, name: &str, args: &[&Expr]) -> SqlResult<Typed> {
        let word = |at: usize| match args.get(at) {
            Some(Expr::Value(value)) => match &value.value {
                Value::SingleQuotedString(text) | Value::NationalStringLiteral(text) => Ok(text.clone()),
                _ => Err(SqlError::unsupported(name)),
            },
            _ => Err(SqlError::unsupported(name)),
        };
        let table = |text: &str| {
            let clean = text.replace(['[', ']'], "");
            self.catalog.table(clean.rsplit('.').next().unwrap_or(&clean)).cloned()
        };
        let found = match name {
            "OBJECT_ID" => table(&word(0)?).map(|table| table.id),
            "COLUMNPROPERTY" => {
                let table = match args.first() {
                    Some(Expr::Function(function))
                        if types::last_name(&function.name).eq_ignore_ascii_case("OBJECT_ID") =>
                    {
                        let FunctionArguments::List(list) = &function.args else {
                            return Err(SqlError::unsupported(name));
                        };
                        match list.args.first() {
                            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))) => {
                                table(value.to_string().trim_start_matches('N').trim_matches('\''))
                            }
                            _ => return Err(SqlError::unsupported(name)),
                        }
                    }
                    _ => return Err(SqlError::unsupported(name)),
                };
                let column = table.as_ref().and_then(|table| table.column(&word(1).ok()?).cloned());
                let property = word(2)?.to_ascii_lowercase();
                match (column, property.as_str()) {
                    (Some(column), "isidentity") => Some(i64::from(column.identity)),
                    (Some(column), "allowsnull") => Some(i64::from(column.nullable)),
                    (Some(_), "iscomputed") => Some(0),
                    _ => None,
                }
            }
            _ => {
                return Ok(match word(0)?.to_ascii_lowercase().as_str() {
                    "productversion" => text_literal(crate::VERSION_NUMBER, true),
                    "edition" => text_literal("Express Edition (64-bit)", true),
                    "engineedition" => Typed::new("4", Ty::INT),
                    "servername" => text_literal("RAINTEK-SANDBOX", true),
                    "collation" => text_literal("SQL_Latin1_General_CP1_CI_AS", true),
                    _ => Typed::new("NULL", Ty::nvarchar(128)),
                });
            }
        };
        Ok(Typed::new(found.map_or_else(|| "NULL".to_owned(), |number| number.to_string()), Ty::INT))
    }
}

fn round(value: &Typed, places: &str, cut: &str) -> SqlResult<Typed> {
    match value.ty {
        Ty::Dec { s, .. } => {
            Ok(Typed::new(format!("t_round({}, {s}, {places}, {cut})", value.sql), value.ty))
        }
        Ty::Int(_) | Ty::Null => {
            Ok(Typed::new(format!("t_round({}, 0, {places}, {cut})", value.sql), value.ty))
        }
        _ => Err(SqlError::unsupported("ROUND of this type")),
    }
}
