//! Keyed hashes: what may be personal is stored as an HMAC-SHA-256 only, so that a copied ledger tells nobody's e-mail.
//!
//! Takes values, gives hashes. Promises that equal values (2 and 2.00) have equal hashes, that other values have
//! others, and that the key never stands in the ledger: it is a file of its own that only its owner can read.

use std::{fs, io::Write as _, path::Path, sync::Arc};

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::TryRng as _;
use sha2::Sha256;

use super::{LedgerError, row::Hashes};
use crate::value::{Fields, Node, Record, Value};

/// The key of the hashes.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

/// Never shows the key.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

/// A keyed hash.
pub(super) type Hash = [u8; 32];

impl Key {
    /// Reads the key file; makes it when there is none and nothing was hashed with it yet.
    pub(super) fn load(path: &Path, may_make: bool) -> Result<Self, LedgerError> {
        let trouble = |text: String| LedgerError::Key { path: path.to_owned(), text };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_make => {
                make(path).map_err(|error| trouble(error.to_string()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(trouble("it is not there, and the ledger was made with it: put it back".to_owned()));
            }
            Err(error) => return Err(trouble(error.to_string())),
        };
        if bytes.len() != 32 {
            return Err(trouble(format!("it has {} bytes, a key has 32", bytes.len())));
        }
        Hmac::new_from_slice(&bytes).map(Self).map_err(|error| trouble(error.to_string()))
    }

    /// Names the key without telling it.
    pub(super) fn id(&self) -> String {
        hex(self.hash("key id", |_| {}).get(..8).unwrap_or_default())
    }

    /// The hash of values in order, for one purpose: the same value hashes otherwise elsewhere.
    pub(super) fn values(&self, purpose: &str, values: &[&Value]) -> Hash {
        self.hash(purpose, |mac| {
            for value in values {
                feed(mac, value);
            }
        })
    }

    /// The hash of a body.
    pub(super) fn body(&self, fields: &Fields) -> Hash {
        self.hash("body", |mac| feed_fields(mac, fields))
    }

    /// The short hash of what stands at a path of a record, through its lists.
    pub(super) fn content(&self, record: &Record, path: &str) -> Arc<str> {
        let steps: Vec<&str> = path.split('.').collect();
        let hash = self.hash("content", |mac| {
            if let Some((first, rest)) = steps.split_first() {
                feed_path(mac, record.get(first), rest);
            }
        });
        hex(hash.get(..8).unwrap_or_default()).into()
    }

    /// Short hashes of everything that a body leaves at its target, by path; lists are a whole.
    pub(super) fn leaves(&self, fields: &Fields) -> Hashes {
        fields.leaves().into_iter().map(|(path, node)| (path.into(), self.leaf(node))).collect()
    }

    /// The short hash of a value or of a list of line objects. What was cleared is blank.
    pub(super) fn leaf(&self, node: &Node) -> Arc<str> {
        let hash = self.hash("leaf", |mac| match node {
            Node::Value(Value::Clear) => feed(mac, &Value::Blank),
            node => feed_node(mac, node),
        });
        hex(hash.get(..8).unwrap_or_default()).into()
    }

    fn hash(&self, purpose: &str, fill: impl FnOnce(&mut Hmac<Sha256>)) -> Hash {
        let mut mac = self.0.clone();
        text(&mut mac, b'p', purpose);
        fill(&mut mac);
        mac.finalize().into_bytes().into()
    }
}

fn make(path: &Path) -> std::io::Result<Vec<u8>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut bytes = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    Ok(bytes.to_vec())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A tag, the length, the characters: so that no two sequences of values look alike.
fn text(mac: &mut Hmac<Sha256>, tag: u8, characters: &str) {
    mac.update(&[tag]);
    mac.update(&(characters.len() as u64).to_be_bytes());
    mac.update(characters.as_bytes());
}

fn feed(mac: &mut Hmac<Sha256>, value: &Value) {
    match value {
        Value::Blank => text(mac, b'0', ""),
        Value::Bool(yes) => text(mac, b'b', if *yes { "yes" } else { "no" }),
        Value::Int(n) => text(mac, b'n', &n.to_string()),
        Value::Decimal(n) => text(mac, b'n', &n.normalize().to_string()),
        Value::Money(money) => {
            text(mac, b'm', &money.amount.normalize().to_string());
            text(mac, b'c', if money.amount.is_zero() { "" } else { money.currency.as_str() });
        }
        Value::Text(characters) => text(mac, b't', characters),
        Value::Date(day) => text(mac, b'd', &day.to_string()),
        Value::DateTime(moment) => text(mac, b'D', &moment.to_string()),
        Value::List(list) => {
            text(mac, b'l', &list.len().to_string());
            for value in list.iter() {
                feed(mac, value);
            }
        }
        Value::Record(record) => {
            text(mac, b'r', &record.shape().names.len().to_string());
            for (name, value) in record.iter() {
                text(mac, b'f', name);
                feed(mac, value);
            }
        }
        Value::Key(name) => text(mac, b'k', name),
        Value::Clear => text(mac, b'x', ""),
    }
}

fn feed_path(mac: &mut Hmac<Sha256>, value: &Value, steps: &[&str]) {
    match (value, steps.split_first()) {
        (value, None) => feed(mac, value),
        (Value::Record(record), Some((first, rest))) => feed_path(mac, record.get(first), rest),
        (Value::List(list), Some(_)) => {
            text(mac, b'l', &list.len().to_string());
            for value in list.iter() {
                feed_path(mac, value, steps);
            }
        }
        (_, Some(_)) => feed(mac, &Value::Blank),
    }
}

fn feed_fields(mac: &mut Hmac<Sha256>, fields: &Fields) {
    text(mac, b'r', &fields.0.len().to_string());
    for (name, node) in &fields.0 {
        text(mac, b'f', name);
        feed_node(mac, node);
    }
}

fn feed_node(mac: &mut Hmac<Sha256>, node: &Node) {
    match node {
        Node::Value(value) => feed(mac, value),
        Node::Object(fields) => feed_fields(mac, fields),
        Node::List(list) => {
            text(mac, b'l', &list.len().to_string());
            for fields in list {
                feed_fields(mac, fields);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Decimal, Shape};

    fn key() -> Key {
        Key(Hmac::new_from_slice(&[7; 32]).unwrap())
    }

    #[test]
    fn equal_values_hash_alike_and_others_do_not() {
        let hash = |value: Value| key().values("x", &[&value]);
        assert_eq!(hash(Value::Int(2)), hash(Value::Decimal("2.00".parse::<Decimal>().unwrap())));
        assert_ne!(hash(Value::Int(2)), hash(Value::text("2")));
        assert_ne!(hash(Value::Blank), hash(Value::Bool(false)));
        let two = |a: &str, b: &str| key().values("x", &[&Value::text(a), &Value::text(b)]);
        assert_ne!(two("ab", "c"), two("a", "bc"));
        assert_ne!(key().values("x", &[&Value::Int(1)]), key().values("y", &[&Value::Int(1)]));
    }

    #[test]
    fn a_path_through_a_list_sees_every_element() {
        let line = Arc::new(Shape { names: vec!["amount".into(), "text".into()] });
        let record = |second: i64, text: &str| {
            let lines: Vec<Value> = [1, second]
                .iter()
                .map(|n| Value::Record(Record::new(Arc::clone(&line), vec![Value::Int(*n), Value::text(text)])))
                .collect();
            Record::new(Arc::new(Shape { names: vec!["lines".into()] }), vec![Value::List(lines.into())])
        };
        let hash = |record: &Record| key().content(record, "lines.amount");
        assert_ne!(hash(&record(2, "a")), hash(&record(3, "a")));
        assert_eq!(hash(&record(2, "a")), hash(&record(2, "b")), "only the path counts");
    }
}
