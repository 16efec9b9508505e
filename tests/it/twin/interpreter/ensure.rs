//! Ensuring that something is there: its alternatives from the top, found or made.

use super::*;

impl<'p> Twin<'p> {
    pub(super) fn ensure(&mut self, ensure: &'p Ensure, depth: usize) -> Result<Value, Ended> {
        let name = self.numbered(&ensure.name, depth);
        if let Some(key) = self.keys.get(name.as_str()) {
            return Ok(key.clone());
        }
        let Some((value, choice)) = self.choose(ensure)? else { return Ok(Value::Blank) };
        if let Choice::Create(create) = &choice
            && let Some(made) = self.writes.iter_mut().find(|made| made.name == *create)
        {
            made.ensure.get_or_insert(name.clone());
        }
        self.ensured.push((name, choice));
        Ok(value)
    }

    fn choose(&mut self, ensure: &'p Ensure) -> Result<Given, Ended> {
        self.known.insert(ensure.found, Ok(Value::Blank));
        let mut of_found = BTreeSet::from([ensure.found]);
        for alternative in &ensure.alternatives {
            let (var, definition, value) = match alternative {
                Alternative::Let(line) => (line.var, Definition::Let(line), Some(&line.value)),
                Alternative::FindRow(find) => (find.var, Definition::Find(find), find.search.condition.as_ref()),
                _ => continue,
            };
            self.name(var, definition);
            if value.is_some_and(|value| mentions(value, &of_found)) {
                // A name whose line did not run is blank.
                of_found.insert(var);
                self.known.insert(var, Ok(Value::Blank));
            }
        }
        let mut given: Given = None;
        let mut row_found = false;
        let mut found: Option<(Record, Value)> = None;
        for alternative in &ensure.alternatives {
            match alternative {
                Alternative::Let(_) | Alternative::FindRow(_) => {}
                Alternative::Guard { guard, of_found } => {
                    if if *of_found { row_found } else { given.is_none() } {
                        self.guard(guard)?;
                    }
                }
                Alternative::UpdateFound(when, _) => {
                    let Some((row, key)) = &found else { continue };
                    if self.applies(when.as_ref())? {
                        let made = self.update_found(ensure, row, key)?;
                        // Two updates of one thing in one record are one.
                        let same = |made: &Made, own: &Made| {
                            own.action == made.action
                                && own.entity == made.entity
                                && own.fields.0[0] == made.fields.0[0]
                        };
                        let made = made.filter(|made| !self.writes.iter().any(|own| same(made, own)));
                        self.writes.extend(made);
                    }
                }
                _ if given.is_some() => {}
                Alternative::Take(value) => {
                    let value = self.value(value)?;
                    given = (!value.is_blank()).then_some((value, Choice::Taken));
                }
                Alternative::Find { search, first, gives } => {
                    let rows = self.search(search)?;
                    if rows.len() > 1 && !first {
                        return Err(self.own_words(Verdict::Hold, search.span));
                    }
                    let Some(row) = rows.first() else { continue };
                    let key = row.path(gives).clone();
                    if key.is_blank() {
                        return Err(self.own_words(Verdict::Fail, search.span));
                    }
                    row_found = true;
                    for name in &of_found {
                        self.known.remove(name);
                    }
                    self.known.insert(ensure.found, Ok(Value::Record(row.clone())));
                    self.conflict(ensure, row, &key);
                    found = Some((row.clone(), key.clone()));
                    given = Some((key.clone(), Choice::Found(key)));
                }
                Alternative::Create(write) => given = self.create(write)?,
                Alternative::Include(inner) => {
                    given = self.choose(inner)?;
                    let value = given.as_ref().map_or(Value::Blank, |(value, _)| value.clone());
                    self.known.insert(inner.var, Ok(value));
                }
            }
        }
        if let Some((value, _)) = &given {
            self.fits(value.clone(), ensure.max, ensure.span)?;
        }
        Ok(given)
    }

    /// A row that a person edited is in conflict when this ensure would have something to send to it; one that says
    /// it itself is believed.
    fn conflict(&mut self, ensure: &'p Ensure, row: &Record, key: &Value) {
        let is_asked = row.shape().index("conflict").is_some() && row.get("conflict").is_blank();
        if !is_asked || *row.get("edited") != Value::Bool(true) {
            return;
        }
        let warnings = self.warnings.len();
        let something = matches!(self.update_found(ensure, row, key), Ok(Some(_)));
        self.warnings.truncate(warnings);
        let value =
            |(name, value): (&str, &Value)| if name == "conflict" { Value::Bool(something) } else { value.clone() };
        let row = Record::new(row.shape().clone(), row.iter().map(value).collect());
        self.known.insert(ensure.found, Ok(Value::Record(row)));
    }

    /// The create of an ensure; one that recognises the same thing as an earlier one of this record is that one.
    fn create(&mut self, write: &'p Write) -> Result<Given, Ended> {
        let Some((Some(made), value, target)) = self.write(write)? else { return Ok(None) };
        let family = target.entity.write.as_ref().and_then(|facts| facts.family.as_ref());
        let paths = family.map_or(&[][..], |(_, paths)| paths);
        let family = family.map_or(&target.name.entity, |(family, _)| family).to_string();
        let role = target.name.role.to_string();
        let key = paths.iter().find_map(|path| made.fields.value(path)).cloned().unwrap_or_default();
        if key.is_blank() && !paths.is_empty() {
            return Err(self.own_words(Verdict::Hold, write.span));
        }
        let earlier = self.created.iter().find(|(own_role, own_family, own, ..)| {
            !key.is_blank() && (own_role, own_family, own) == (&role, &family, &key)
        });
        let (name, value) = if let Some((.., name, value)) = earlier {
            (name.clone(), value.clone())
        } else {
            let name = made.name.clone();
            self.created.push((role, family, key, name.clone(), value.clone()));
            self.writes.push(made);
            (name, value)
        };
        self.known.insert(write.var, Ok(value.clone()));
        Ok(Some((value, Choice::Create(name))))
    }
}
