//! From the lines of `koppel.toml` to a connection with its secrets, when it is needed.
//!
//! Takes a name, an environment and where variables come from, gives a [`Connection`] or one sentence that names the
//! variable or file, the key and its line. Promises that no secret stands in an error.

use std::{fs, sync::Arc, time::Duration};

use secrecy::SecretString;

use super::{
    config::{At, Config, ConnectionLines, Name, SecretPlace},
    files::{Folder, plain},
};
use crate::{
    connector::{Connection, Credentials, Manifest},
    diagnostic::Sources,
};

/// Where environment variables come from.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is needed to resolve a connection.
pub(super) struct Resolver<'a> {
    pub(super) config: &'a Config,
    pub(super) sources: &'a Sources,
    pub(super) folder: &'a Folder,
    pub(super) environment: &'a str,
    pub(super) variables: Variables<'a>,
}

impl Resolver<'_> {
    /// The lines of a connection, those of the environment over the general ones.
    fn lines(&self, name: &str) -> Vec<&ConnectionLines> {
        let environments = self.config.environments.iter().filter(|own| &*own.name.value == self.environment);
        let special = environments.flat_map(|environment| &environment.connections);
        special.chain(&self.config.connections).filter(|lines| &*lines.name.value == name).collect()
    }

    /// Its system: as it says, else its own name.
    pub(super) fn system(&self, name: &str) -> Arc<str> {
        let said = self.lines(name).into_iter().find_map(|lines| lines.system.as_ref());
        said.map_or_else(|| name.into(), |system| system.value.clone())
    }

    /// How long an unclear write may still take effect, as it says.
    pub(super) fn settle(&self, name: &str) -> Option<&At<Duration>> {
        self.lines(name).into_iter().find_map(|lines| lines.settle.as_ref())
    }

    /// The same for the real system, which is known to need so long: after less, what has not arrived yet would be
    /// taken for lost and sent again.
    fn safe_settle(&self, name: &str) -> Result<Option<Duration>, String> {
        let Some(settle) = self.settle(name) else { return Ok(None) };
        let manifest = Manifest::standard(&self.system(name)).map_err(|error| error.to_string())?;
        if settle.value >= Duration::from_secs(manifest.settle_seconds) {
            return Ok(Some(settle.value));
        }
        let (title, needed) = (&manifest.title, manifest.settle_seconds.div_ceil(60));
        Err(format!(
            "`settle` of the connection `{name}` is too short ({}): {title} may carry out a request until {needed} \
             minutes after the line was lost, and what was sent again before that would be there twice\n      \
             settle = \"{needed}m\" or more, or leave it out; a shorter one counts for --sandbox only",
            self.place(Some(settle.span))
        ))
    }

    pub(super) fn resolve(&self, name: &str) -> Result<Connection, String> {
        let lines = self.lines(name);
        if lines.is_empty() {
            return Err(format!(
                "there is no connection `{name}` in koppel.toml\n      \
                 add a section [connections.{name}], or try the flows with --sandbox"
            ));
        }
        let text = |part: fn(&ConnectionLines) -> &Option<Name>| {
            lines.iter().find_map(|lines| part(lines).as_ref()).map(|at| at.value.clone())
        };
        let secret = |key: &str, part: fn(&ConnectionLines) -> &Option<At<SecretPlace>>| {
            lines.iter().find_map(|lines| part(lines).as_ref()).map(|at| self.secret(key, at))
        };
        let client_id = secret("client_id", |lines| &lines.client_id);
        let client_secret = secret("client_secret", |lines| &lines.client_secret);
        let credentials = match (client_id, client_secret, secret("token", |lines| &lines.token)) {
            (Some(id), Some(secret), _) => Credentials::Client { id: id?, secret: secret? },
            (_, _, Some(token)) => Credentials::Token(token?),
            _ => {
                return Err(format!(
                    "the connection `{name}` has nothing to log in with ({})\n      \
                     it needs client_id and client_secret{}",
                    self.place(lines.last().map(|lines| lines.name.span)),
                    if &*self.system(name) == "afas" { ", or token" } else { "" }
                ));
            }
        };
        let base = text(|lines| &lines.base);
        let participant = text(|lines| &lines.participant);
        if &*self.system(name) == "afas" && base.is_none() && participant.is_none() {
            return Err(format!(
                "the connection `{name}` does not say which AFAS it is ({})\n      \
                 participant = \"12345\"    # the five digits of your AFAS address",
                self.place(lines.last().map(|lines| lines.name.span))
            ));
        }
        Ok(Connection {
            name: name.into(),
            system: self.system(name),
            base,
            login: text(|lines| &lines.login),
            participant,
            credentials,
            uses: None,
            settle: self.safe_settle(name)?,
        })
    }

    fn secret(&self, key: &str, at: &At<SecretPlace>) -> Result<SecretString, String> {
        let place = || self.place(Some(at.span));
        let filled = |text: String| (!text.trim().is_empty()).then(|| SecretString::from(text.trim().to_owned()));
        match &at.value {
            SecretPlace::Env(variable) => (self.variables)(variable).and_then(filled).ok_or_else(|| {
                format!(
                    "the environment variable {variable} is not set: `{key}`, {}\n      \
                     export {variable}=…    or try the flows with --sandbox",
                    place()
                )
            }),
            SecretPlace::File(path) => {
                let text = fs::read_to_string(self.folder.root().join(&**path));
                let text = text.map_err(|error| format!("{path}: {} (`{key}`, {})", plain(&error), place()))?;
                filled(text).ok_or_else(|| format!("{path} is empty (`{key}`, {})", place()))
            }
        }
    }

    fn place(&self, span: Option<crate::diagnostic::Span>) -> String {
        let found = span.and_then(|span| Some((self.sources.get(span.file)?, span)));
        found.map_or_else(
            || "koppel.toml".to_owned(),
            |(source, span)| format!("{}:{}", source.path, source.line_column(span.start).0),
        )
    }
}
