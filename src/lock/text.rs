//! `flow.lock` as a text, and back.

use std::{collections::BTreeMap, fmt::Write as _};

use ::toml::{Table, Value};

use super::{Fields, Lock, Number, Used};

/// What stands above it.
const HEAD: &str = "\
# What the flows use of the systems, and how they number documents. Keep it with the flows, in version control.
# `koppel check` adds what is new and tells what has changed; `koppel check --accept` takes a change over.
version = 1
";

/// The text of a lock.
#[must_use]
pub fn written(lock: &Lock) -> String {
    let mut text = HEAD.to_owned();
    for (flow, numbers) in &lock.number {
        let _ = write!(text, "\n[number.{}]\n", key(flow));
        for (entity, number) in numbers {
            let (prefix, formula) = (quoted(&number.prefix), quoted(&number.formula));
            let _ = writeln!(text, "{} = {{ prefix = {prefix}, formula = {formula} }}", key(entity));
        }
    }
    for (section, fields) in [("write", &lock.write), ("read", &lock.read)] {
        for (entity, paths) in fields {
            let _ = write!(text, "\n[{section}.{}]\n", key(entity));
            for (path, used) in paths {
                if used.codes.is_empty() {
                    let _ = writeln!(text, "{} = {}", key(path), quoted(&used.ty));
                } else {
                    let codes: Vec<String> = used.codes.iter().map(|code| quoted(code)).collect();
                    let (ty, codes) = (quoted(&used.ty), codes.join(", "));
                    let _ = writeln!(text, "{} = {{ type = {ty}, codes = [{codes}] }}", key(path));
                }
            }
        }
    }
    text
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// The lock that a text holds.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &str) -> Result<Lock, String> {
    let table: Table = text.parse().map_err(|error: ::toml::de::Error| error.message().to_owned())?;
    if table.get("version").and_then(Value::as_integer) != Some(1) {
        return Err("it is of another version of koppel".to_owned());
    }
    let mut lock = Lock { read: fields(&table, "read")?, write: fields(&table, "write")?, ..Lock::default() };
    for (flow, numbers) in section(&table, "number")? {
        let mut own = BTreeMap::new();
        for (entity, number) in inner(flow, numbers)? {
            let part = |name: &str| number.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
            let number = part("prefix").zip(part("formula"));
            let (prefix, formula) =
                number.ok_or_else(|| format!("the number of {entity} has no prefix and formula"))?;
            own.insert(entity.clone(), Number { prefix, formula });
        }
        lock.number.insert(flow.clone(), own);
    }
    Ok(lock)
}

fn fields(table: &Table, name: &str) -> Result<Fields, String> {
    let mut fields = Fields::new();
    for (entity, paths) in section(table, name)? {
        let own = inner(entity, paths)?.iter().map(|(path, field)| Some((path.clone(), used(field)?))).collect();
        let own: Option<BTreeMap<String, Used>> = own;
        fields.insert(entity.clone(), own.ok_or_else(|| format!("a field of {entity} has no type"))?);
    }
    Ok(fields)
}

fn used(field: &Value) -> Option<Used> {
    if let Some(ty) = field.as_str() {
        return Some(Used { ty: ty.to_owned(), codes: Vec::new() });
    }
    let ty = field.get("type")?.as_str()?.to_owned();
    let codes = field.get("codes")?.as_array()?.iter().map(|code| code.as_str().map(ToOwned::to_owned));
    Some(Used { ty, codes: codes.collect::<Option<_>>()? })
}

fn section<'a>(table: &'a Table, name: &str) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, String> {
    let found = table.get(name).map(|value| value.as_table().ok_or_else(|| format!("`{name}` is no section")));
    Ok(found.transpose()?.into_iter().flatten())
}

fn inner<'a>(name: &str, value: &'a Value) -> Result<&'a Table, String> {
    value.as_table().ok_or_else(|| format!("`{name}` is no section"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let used = |ty: &str, codes: &[&str]| Used {
            ty: ty.to_owned(),
            codes: codes.iter().map(|code| (*code).to_owned()).collect(),
        };
        let fields = |entity: &str, all: &[(&str, Used)]| {
            let all = all.iter().map(|(path, used)| ((*path).to_owned(), used.clone()));
            Fields::from([(entity.to_owned(), all.collect())])
        };
        let number = Number { prefix: "J".to_owned(), formula: "\"J{invoice.id}\"".to_owned() };
        Lock {
            read: fields("jortt.invoices", &[("id", used("text", &[])), ("line_items.vat", used("percent?", &[]))]),
            write: fields("afas.FbSales", &[("Lines.VaIt", used("text(2) required", &["2", "a \"b\""]))]),
            number: BTreeMap::from([("orders".to_owned(), BTreeMap::from([("afas.FbSales".to_owned(), number)]))]),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&written(&lock())), Ok(lock()));
        assert_eq!(read(&written(&Lock::default())), Ok(Lock::default()));
    }

    #[test]
    fn a_text_that_is_no_lock_says_what_is_wrong() {
        assert!(read("<<<<<<< HEAD\n").is_err());
        assert_eq!(read("version = 2\n").unwrap_err(), "it is of another version of koppel");
        assert_eq!(read("version = 1\nread = 3\n").unwrap_err(), "`read` is no section");
        assert_eq!(read("version = 1\n[read.a]\nx = 3\n").unwrap_err(), "a field of a has no type");
        assert_eq!(
            read("version = 1\n[number.f]\ne = { prefix = \"J\" }\n").unwrap_err(),
            "the number of e has no prefix and formula"
        );
    }
}
