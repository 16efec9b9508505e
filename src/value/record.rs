//! Records: values in the order of a shared shape, so that a field is an index after planning.

use std::sync::Arc;

use super::Value;

/// The names of a record's fields, in order; shared by all records of one kind.
#[derive(Debug, PartialEq, Eq, Hash, Default)]
pub struct Shape {
    /// Field names.
    pub names: Vec<Arc<str>>,
}

impl Shape {
    /// The place of a field.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|own| &**own == name)
    }
}

/// A record: one value for each name of its shape. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    shape: Arc<Shape>,
    values: Arc<[Value]>,
}

impl Record {
    /// Missing values become blank, surplus ones are dropped.
    #[must_use]
    pub fn new(shape: Arc<Shape>, mut values: Vec<Value>) -> Self {
        values.resize(shape.names.len(), Value::Blank);
        Self { shape, values: values.into() }
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// The value at a place of the shape; blank where there is none.
    #[must_use]
    pub fn at(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Blank)
    }

    /// The value of a field by name; blank where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &Value {
        self.shape.index(name).map_or(&Value::Blank, |index| self.at(index))
    }

    /// The value of a path `a.b`; blank where a step is missing. A step through a list takes its first element.
    #[must_use]
    pub fn path(&self, path: &str) -> &Value {
        let mut value = self.get(path.split('.').next().unwrap_or(""));
        for step in path.split('.').skip(1) {
            let record = match value {
                Value::Record(record) => record,
                Value::List(list) => match list.first() {
                    Some(Value::Record(record)) => record,
                    _ => return &Value::Blank,
                },
                _ => return &Value::Blank,
            };
            value = record.get(step);
        }
        value
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.shape.names.iter().map(|name| &**name).zip(self.values.iter())
    }
}
