//! `koppel schema`: the vendors' files made into compact schemas, and what an entity has.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path};

use super::{
    args::SchemaVerb,
    place::catalog,
    say::{Ended, Said, Stop, out},
};
use crate::{
    project::nearest,
    schema::{Catalog, Condition, Object, import},
};

/// The two verbs.
pub(super) fn schema(verb: &SchemaVerb) -> Said {
    match verb {
        SchemaVerb::Import { system, stdlib } => {
            let systems = system.as_ref().map_or_else(|| vec!["afas", "jortt"], |system| vec![system.as_str()]);
            systems.into_iter().try_for_each(|system| again(system, &stdlib.join(system)))?;
            Ok(Ended::Fine)
        }
        SchemaVerb::Show { entity } => show(catalog()?, entity),
    }
}

/// Reads `vendor/`, writes `schema/`; a file that no longer comes out is removed.
fn again(system: &str, folder: &Path) -> Result<(), Stop> {
    let stop = |path: &Path, error: &dyn std::fmt::Display| Stop::Setup(format!("{}: {error}", path.display()));
    let (vendor, target) = (folder.join("vendor"), folder.join("schema"));
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(&vendor).map_err(|error| stop(&vendor, &error))?.flatten() {
        let path = entry.path();
        if path.is_file() {
            let text = fs::read_to_string(&path).map_err(|error| stop(&path, &error))?;
            files.insert(entry.file_name().to_string_lossy().into_owned(), text);
        }
    }
    let made = import::import(system, &files).map_err(|error| stop(&vendor, &error))?;
    fs::create_dir_all(&target).map_err(|error| stop(&target, &error))?;
    let mut out = out();
    for entry in fs::read_dir(&target).map_err(|error| stop(&target, &error))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !made.contains_key(&name) {
            fs::remove_file(entry.path()).map_err(|error| stop(&entry.path(), &error))?;
            writeln!(out, "removed    {}", entry.path().display())?;
        }
    }
    let mut changed = 0;
    for (name, text) in &made {
        let path = target.join(name);
        if fs::read_to_string(&path).is_ok_and(|own| own == *text) {
            continue;
        }
        fs::write(&path, text).map_err(|error| stop(&path, &error))?;
        writeln!(out, "written    {}", path.display())?;
        changed += 1;
    }
    writeln!(out, "{system}: {} schemas from {} files, {changed} changed", made.len(), files.len())?;
    out.flush()?;
    Ok(())
}

fn show(catalog: &Catalog, name: &str) -> Said {
    let (system, entity) = name.split_once('.').unwrap_or(("", name));
    let Some(found) = catalog.entity(system, entity) else {
        let all = catalog
            .systems
            .iter()
            .flat_map(|(system, facts)| facts.entities.keys().map(move |entity| format!("{system}.{entity}")));
        let all: Vec<String> = all.collect();
        let near = nearest(name, all.iter().map(String::as_str)).map(|near| format!("{near}?"));
        let help = near.unwrap_or_else(|| all.join("  "));
        return Err(Stop::Usage(format!("there is no entity `{name}`\n      {help}")));
    };
    let mut out = out();
    writeln!(out, "{name}  {}", found.label)?;
    let read = found.read.as_ref().map(|facts| ("read", Some(&facts.object)));
    let create = found.write.as_ref().map(|facts| ("create", facts.create.as_ref()));
    let update = found.write.as_ref().map(|facts| ("update", facts.update.as_ref()));
    for (how, object) in [read, create, update].into_iter().flatten() {
        let Some(object) = object else { continue };
        writeln!(out, "\n{how}")?;
        fields(&mut out, object, 1)?;
    }
    out.flush()?;
    Ok(Ended::Fine)
}

/// What the code of a condition means, where the other field has a table of codes.
fn label<'o>(object: &'o Object, condition: &Condition, code: &str) -> Option<&'o str> {
    let codes = &object.field(&condition.field)?.ty.codes.as_ref()?.codes;
    codes.iter().find(|own| &*own.code == code).map(|own| &*own.label).filter(|label| !label.is_empty())
}

fn fields(out: &mut dyn std::io::Write, object: &Object, depth: usize) -> std::io::Result<()> {
    for field in object.fields.values() {
        let inner = match &field.ty.kind {
            crate::schema::Kind::Record(inner) => Some(inner),
            crate::schema::Kind::List(of) => match &of.kind {
                crate::schema::Kind::Record(inner) => Some(inner),
                _ => None,
            },
            _ => None,
        };
        let ty = if inner.is_some() { String::new() } else { field.ty.to_string() };
        let needed = if field.required { "required" } else { "" };
        let line = format!("{:indent$}{:24} {ty:16} {needed:9} {}", "", field.name, field.label, indent = depth * 2);
        writeln!(out, "{}", line.trim_end())?;
        for condition in &field.needed {
            let code = condition.is.as_deref().and_then(|code| label(object, condition, code));
            let code = code.map(|label| format!(" ({label})")).unwrap_or_default();
            writeln!(out, "{:indent$}{:24} required {condition}{code}", "", "", indent = depth * 2)?;
        }
        // Contacts hold contacts: deep enough to find a field, not to print for ever.
        if let Some(inner) = inner.filter(|_| depth < 6) {
            fields(out, inner, depth + 1)?;
        }
    }
    Ok(())
}
