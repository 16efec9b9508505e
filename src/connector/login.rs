//! Logging in: the classic AFAS token, or OAuth 2 client credentials with one token for all calls at a time.
//!
//! Takes the credentials of a connection, gives the `Authorization` header. Promises that a token is asked by one
//! caller while the others wait for it, that a refused log-in is not tried again at once, and that no secret is shown.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, Url, header::HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use super::{
    Connection, ConnectorError, Credentials,
    faults::clean,
    http::{Counted, Http, Within},
    manifest::{Manifest, SecretPlace},
};

/// A refused log-in is remembered this long: many records at once must not become many refused log-ins.
const REFUSED: Duration = Duration::from_secs(10);
/// Two tokens that are called spent within this time were not refused for their age.
const REPEATED: Duration = Duration::from_mins(1);

/// How this connection logs in.
pub(super) enum Login {
    /// The same header for ever.
    Fixed(HeaderValue),
    /// A token that is renewed.
    OAuth(Box<OAuth>),
}

/// OAuth 2 client credentials.
pub(super) struct OAuth {
    url: Url,
    id: SecretString,
    secret: SecretString,
    place: SecretPlace,
    scope: Option<String>,
    connection: String,
    title: String,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Token>,
    /// How many tokens there were; tells callers whether theirs was renewed meanwhile.
    number: u64,
    refused: Option<(Instant, ConnectorError)>,
    /// When the last token was called spent, and whether a new one was worth asking for.
    spent: Option<(Instant, bool)>,
}

struct Token {
    header: HeaderValue,
    renew_at: Instant,
}

/// The header of one call, and which token it holds.
pub(super) struct Pass {
    /// `Authorization`.
    pub(super) header: HeaderValue,
    /// To be told to [`Login::expired`].
    pub(super) number: u64,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<serde_json::Number>,
}

#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Login {
    /// The log-in of a connection; `url` is the token address.
    pub(super) fn new(manifest: &Manifest, connection: &Connection, url: Url) -> Result<Self, ConnectorError> {
        match &connection.credentials {
            Credentials::Token(token) => {
                let header = afas_token(token).ok_or_else(|| {
                    ConnectorError::Setup(format!(
                        "connection {}: the token is not one of AFAS; it is the text \
                         `<token><version>1</version><data>…</data></token>` that AFAS showed, or the 64 digits in it",
                        connection.name
                    ))
                })?;
                Ok(Self::Fixed(header))
            }
            Credentials::Client { id, secret } => Ok(Self::OAuth(Box::new(OAuth {
                url,
                id: id.clone(),
                secret: secret.clone(),
                place: manifest.login.secret,
                scope: manifest.scope(connection.uses.as_ref()),
                connection: connection.name.to_string(),
                title: manifest.title.to_string(),
                held: Mutex::default(),
            }))),
        }
    }

    /// The header for a call; asks for a token when there is none or it is nearly spent.
    pub(super) async fn pass(&self, http: &Http) -> Result<Pass, ConnectorError> {
        match self {
            Self::Fixed(header) => Ok(Pass { header: header.clone(), number: 0 }),
            Self::OAuth(oauth) => oauth.pass(http).await,
        }
    }

    /// The other side says that this token is spent: is there another one to be had? The next [`Login::pass`] asks it.
    pub(super) async fn expired(&self, number: u64) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::OAuth(oauth) => {
                let mut held = oauth.held.lock().await;
                if held.number != number {
                    return true;
                }
                if held.token.take().is_some() {
                    let again = held.spent.is_some_and(|(at, _)| at.elapsed() < REPEATED);
                    held.spent = Some((Instant::now(), !again));
                }
                held.spent.is_some_and(|(_, worth)| worth)
            }
        }
    }
}

impl OAuth {
    /// The lock is held while a token is fetched: that is what makes it one fetch. Dropped half-way, the next caller
    /// fetches.
    async fn pass(&self, http: &Http) -> Result<Pass, ConnectorError> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.token.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(Pass { header: token.header.clone(), number: held.number });
        }
        if let Some((_, error)) = held.refused.as_ref().filter(|(at, _)| at.elapsed() < REFUSED) {
            return Err(error.clone());
        }
        match self.fetch(http).await {
            Ok(token) => {
                held.number += 1;
                held.refused = None;
                let header = token.header.clone();
                held.token = Some(token);
                Ok(Pass { header, number: held.number })
            }
            Err(error) => {
                if matches!(error, ConnectorError::Setup(_)) {
                    held.refused = Some((Instant::now(), error.clone()));
                }
                Err(error)
            }
        }
    }

    async fn fetch(&self, http: &Http) -> Result<Token, ConnectorError> {
        let mut form = vec![("grant_type", "client_credentials")];
        if let Some(scope) = &self.scope {
            form.push(("scope", scope));
        }
        let mut request = http.request(Method::POST, self.url.clone(), Within::Read);
        match self.place {
            SecretPlace::Basic => {
                request = request.basic_auth(self.id.expose_secret(), Some(self.secret.expose_secret()));
            }
            SecretPlace::Body => {
                form.push(("client_id", self.id.expose_secret()));
                form.push(("client_secret", self.secret.expose_secret()));
            }
        }
        let asked = Instant::now();
        let name = &self.connection;
        let unreachable = |text: String| {
            ConnectorError::Unreachable(format!("connection {name}: cannot log in to {}: {text}", self.title))
        };
        let reply = match http.send(request.form(&form), Counted::No).await {
            Ok(reply) => reply,
            Err(loss) => return Err(unreachable(loss.to_string())),
        };
        if reply.status >= 500 || reply.status == 429 {
            return Err(unreachable(format!("its log-in answered HTTP {}", reply.status)));
        }
        if !(200..300).contains(&reply.status) {
            let refusal = serde_json::from_slice::<TokenRefusal>(&reply.body).ok();
            return Err(ConnectorError::Setup(format!(
                "connection {name}: {}",
                refused(&self.title, reply.status, refusal.as_ref())
            )));
        }
        let usable = serde_json::from_slice::<TokenAnswer>(&reply.body).ok().and_then(|answer| {
            let mut header = HeaderValue::try_from(format!("Bearer {}", answer.access_token)).ok()?;
            header.set_sensitive(true);
            // Without a life it is taken for a short one.
            let seconds = answer.expires_in.and_then(|number| number.as_u64()).unwrap_or(600);
            let renew_at = asked.checked_add(Duration::from_secs(seconds).mul_f64(0.9))?;
            Some(Token { header, renew_at })
        });
        usable.ok_or_else(|| {
            ConnectorError::Setup(format!(
                "connection {name}: no log-in of {} answers at this address; look at `login` and `base` in koppel.toml",
                self.title
            ))
        })
    }
}

/// The errors of RFC 6749 in plain words.
fn refused(title: &str, status: u16, refusal: Option<&TokenRefusal>) -> String {
    let Some(refusal) = refusal else {
        return format!("{title} refused the log-in (HTTP {status}); look at `login` and `base` in koppel.toml");
    };
    let code = clean(&refusal.error);
    let help = match code.as_str() {
        "invalid_client" | "unauthorized_client" => "it does not know this `client_id` with this `client_secret`",
        "invalid_scope" => "the application is not registered for all scopes that the flows need",
        "invalid_grant" | "unsupported_grant_type" => "the application may not log in with client credentials",
        _ => "it did not understand the request",
    };
    let words = refusal.error_description.as_deref().map(|words| format!(": {}", clean(words))).unwrap_or_default();
    format!("{title} refused the log-in: {help} ({code}{words})")
}

/// `AfasToken …` of the XML text, of its 64 digits, or of what is already in base64.
fn afas_token(token: &SecretString) -> Option<HeaderValue> {
    let text = token.expose_secret().trim();
    let is_xml = |text: &str| text.starts_with("<token>") && text.ends_with("</token>");
    let encoded = if is_xml(text) {
        STANDARD.encode(text)
    } else if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        STANDARD.encode(format!("<token><version>1</version><data>{text}</data></token>"))
    } else {
        let plain = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
        is_xml(plain.trim()).then(|| text.to_owned())?
    };
    let mut header = HeaderValue::try_from(format!("AfasToken {encoded}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classic_token_is_taken_in_three_forms() {
        let digits = "0123456789ABCDEF".repeat(4);
        let xml = format!("<token><version>1</version><data>{digits}</data></token>");
        let encoded = STANDARD.encode(&xml);
        let expected = format!("AfasToken {encoded}");
        for form in [digits.clone(), xml.clone(), format!(" {xml}\n"), encoded] {
            let header = afas_token(&SecretString::from(form)).unwrap();
            assert_eq!(header.to_str().unwrap(), expected);
            assert!(!format!("{header:?}").contains(&expected));
        }
        assert!(afas_token(&SecretString::from("my password")).is_none());
        assert!(afas_token(&SecretString::from(STANDARD.encode("hello"))).is_none());
    }

    #[test]
    fn a_refused_log_in_is_told_in_plain_words() {
        let refusal = TokenRefusal { error: "invalid_client".into(), error_description: Some("no\nsuch".into()) };
        let text = refused("Jortt", 401, Some(&refusal));
        assert_eq!(
            text,
            "Jortt refused the log-in: it does not know this `client_id` with this `client_secret` (invalid_client: no such)"
        );
        assert!(refused("Jortt", 404, None).contains("`login`"));
    }
}
