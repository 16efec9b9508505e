//! `koppel docs`: the functions of the language, or what one flow does, in Markdown.

mod flow;
mod words;

use std::io::Write as _;

use super::{
    args::{Args, DocsArgs},
    check::tell,
    place,
    say::{Ended, Form, Said, Stop, out, out_in},
};
use crate::{check::typed::Program, function, project::Project};

/// Prints.
pub(super) fn docs(args: &Args, asked: &DocsArgs) -> Said {
    let mut out = out();
    let Some(name) = &asked.flow else {
        write!(out, "{}", function::manual())?;
        out.flush()?;
        return Ok(Ended::Fine);
    };
    let project = place::project(args)?;
    if project.has_errors() {
        // Messages have colours of their own.
        let mut out = out_in(Form::AsIs);
        tell(&mut out, &project.diagnostics, &project.sources, false)?;
        out.flush()?;
        return Ok(Ended::Mistakes);
    }
    let program = named(&project, name)?;
    write!(out, "{}", flow::page(program, &project.sources))?;
    out.flush()?;
    Ok(Ended::Fine)
}

/// The flow that was meant: by its name, its path in the project, or the path as typed from here.
fn named<'p>(project: &'p Project, name: &str) -> Result<&'p Program, Stop> {
    let typed = name.trim_start_matches("./");
    let flows: Vec<(&Program, &str)> = project
        .programs
        .iter()
        .filter(|program| program.source.is_some())
        .map(|program| (&**program, project.sources.get(program.file).map_or("", |source| source.path.as_str())))
        .collect();
    let meant = |(program, path): &&(&Program, &str)| {
        &*program.name == typed || *path == typed || typed.ends_with(&format!("/{path}"))
    };
    flows.iter().find(meant).map(|(program, _)| *program).ok_or_else(|| {
        let names: Vec<&str> = flows.iter().map(|(program, _)| &*program.name).collect();
        Stop::Usage(format!("there is no flow {name}; there are: {}", names.join(", ")))
    })
}
