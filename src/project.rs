//! A project: the folder with `koppel.toml` and its flows, read and judged as one.
//!
//! Takes a folder and an environment, gives the checked flows with their settings, the runs with their plans, and all
//! mistakes. Promises that nothing outside the folder is read, that a run's plan exists only when nothing in its flow
//! and settings is wrong, and that a secret is looked up only when a connection is opened.

mod config;
mod connect;
mod files;
mod section;
mod settings;
mod table;

pub use config::{At, Config, ConnectionLines, Environment, RunLines, SecretPlace, SettingLine};
pub use connect::Variables;
pub use files::Folder;
pub use section::{duration, listed, nearest};
pub use table::{Entry, Item, Node, without_secrets};
