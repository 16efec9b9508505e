//! Where a verb works: the folder of the project, and the project in it.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::{args::Args, say::Stop};
use crate::{
    clock,
    project::{CONFIG, Project},
    schema::{Catalog, home_day},
};

/// What the systems have.
pub(super) fn catalog() -> Result<&'static Catalog, Stop> {
    Catalog::standard().map_err(|error| Stop::Setup(format!("the schemas in this koppel are broken: {error}")))
}

/// The folder that was asked for, or this one, or else ./flows.
pub(super) fn folder(args: &Args) -> Result<PathBuf, Stop> {
    if let Some(folder) = &args.project {
        if folder.is_dir() {
            return Ok(folder.clone());
        }
        return Err(Stop::Setup(format!("{} is no folder", folder.display())));
    }
    let here = [".", "flows"].into_iter().map(PathBuf::from).find(|folder| folder.join(CONFIG).is_file());
    here.ok_or_else(|| {
        Stop::Setup(format!(
            "there is no {CONFIG} here, and none in ./flows\n      \
             go to the folder of your flows, or name it:  koppel --project DIR …"
        ))
    })
}

/// The project, read and judged.
pub(super) fn project(args: &Args) -> Result<Project, Stop> {
    open(&folder(args)?, args)
}

/// The project in a folder.
pub(super) fn open(folder: &Path, args: &Args) -> Result<Project, Stop> {
    Project::open(folder, &args.env, catalog()?, today()).map_err(Stop::Setup)
}

/// The Amsterdam day.
pub(super) fn today() -> Date {
    home_day(clock::now())
}

/// Where the logs of a project are.
pub(super) fn log_folder(folder: &Path) -> PathBuf {
    folder.join(".koppel/log")
}
