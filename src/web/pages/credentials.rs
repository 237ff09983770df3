//! Sessions and tokens, as the pages of people show them.

use actix_web::HttpRequest;
use chrono::{TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use uuid::Uuid;

use super::parts::{State, name};
use crate::auth::sessions::{Refusals, Session};
use crate::auth::tokens::{LONGEST_LIFE, Made, NewToken, Token};
use crate::auth::{self, TokenScope};
use crate::web::client::whole_address;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, Shortened, number};
use crate::web::view::{Section, View};

/// How long a token lasts unless somebody says otherwise, in days.
const USUAL_LIFE: &str = "90";

/// A browser in which somebody is signed in.
#[derive(Debug, Serialize)]
pub(super) struct SessionLine {
    agent: Shortened,
    address: String,
    method: String,
    begun: Moment,
    seen: Moment,
    here: bool,
    end_action: String,
}

impl SessionLine {
    pub(super) fn new(session: &Session, here: Option<Uuid>, end_action: String) -> Self {
        Self {
            agent: browser(session.agent.trim()),
            address: session.address.clone(),
            method: session.method.to_string(),
            begun: Moment::of(session.created_at),
            seen: Moment::of(session.seen_at),
            here: here == Some(session.id),
            end_action,
        }
    }
}

/// The browsers that people know by name, by what they say of themselves. Most also claim to be those that follow.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

/// The same of what they run on.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "a Chromebook"),
    ("Linux", "Linux"),
];

/// “Firefox 140 on Linux”, or all that a browser says of itself where we do not know it.
fn browser(agent: &str) -> Shortened {
    if agent.is_empty() {
        return name("Unknown browser");
    }
    let known = BROWSERS.iter().find_map(|(mark, word)| {
        let (_, behind) = agent.split_once(mark)?;
        let number = behind.split(['.', ' ']).next()?;
        let system = SYSTEMS.iter().find(|(mark, _)| agent.contains(mark))?.1;
        Some(format!("{word} {number} on {system}"))
    });
    match known {
        Some(shown) => Shortened {
            shown,
            whole: Some(name(agent).shown),
        },
        None => name(agent),
    }
}

/// Sign-ins to an account that were refused, from one address.
#[derive(Debug, Serialize)]
pub(super) struct RefusalLine {
    /// Nothing for all addresses that are not listed one by one.
    address: Option<String>,
    count: String,
    first: Moment,
    last: Moment,
}

impl RefusalLine {
    pub(super) fn of(refusals: &[Refusals]) -> Vec<Self> {
        let line = |refusals: &Refusals| Self {
            address: refusals.address.clone(),
            count: number(refusals.count.unsigned_abs()),
            first: Moment::of(refusals.first_at),
            last: Moment::of(refusals.last_at),
        };
        refusals.iter().map(line).collect()
    }
}

/// A token without its secret.
#[derive(Debug, Serialize)]
pub(super) struct TokenLine {
    name: Shortened,
    scopes: String,
    state: State,
    works: bool,
    ends: Moment,
    used: Option<Moment>,
    revoke_action: String,
}

impl TokenLine {
    pub(super) fn new(token: &Token, revoke_action: String) -> Self {
        let state = if token.revoked_at.is_some() {
            State::new("Revoked", "plain", "cross")
        } else if token.expires_at <= Utc::now() {
            State::new("Expired", "plain", "clock")
        } else if token.expires_at <= Utc::now() + TimeDelta::days(7) {
            State::new("Expires soon", "caution", "warn")
        } else {
            State::new("Active", "good", "check")
        };
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        Self {
            name: name(&token.name),
            scopes: scopes.join(", "),
            works: token.revoked_at.is_none() && token.expires_at > Utc::now(),
            state,
            ends: Moment::of(token.expires_at),
            used: token.used_at.map(Moment::of),
            revoke_action,
        }
    }
}

/// The form for a token, with what was typed into it.
#[derive(Debug, Serialize)]
pub(super) struct TokenForm {
    action: String,
    name: String,
    scopes: Vec<ScopeChoice>,
    days: String,
    most_days: i64,
    /// Whether it was sent and refused, so that it is open.
    refused: bool,
}

#[derive(Debug, Serialize)]
struct ScopeChoice {
    word: &'static str,
    hint: &'static str,
    chosen: bool,
}

impl TokenForm {
    pub(super) fn new(action: String, typed: &Parameters) -> Self {
        let refused = !typed.text("days").is_empty();
        let chosen: Vec<&str> = typed.all("scope").collect();
        let choice = |scope: TokenScope| ScopeChoice {
            word: scope.as_str(),
            hint: match scope {
                TokenScope::Read => "read the catalog",
                TokenScope::Write => "read it, and edit descriptions, owners and tags",
                TokenScope::Ingest => "read it, and run recipes",
            },
            chosen: chosen.contains(&scope.as_str()) || (!refused && scope == TokenScope::Read),
        };
        Self {
            action,
            name: typed.text("token").to_owned(),
            scopes: TokenScope::ALL.map(choice).into(),
            days: if refused {
                typed.text("days")
            } else {
                USUAL_LIFE
            }
            .to_owned(),
            most_days: LONGEST_LIFE,
            refused,
        }
    }

    /// Reads what the form sent.
    pub(super) fn read(typed: &Parameters) -> Result<NewToken<'_>, auth::Error> {
        let scopes = typed.all("scope").map(str::parse);
        Ok(NewToken {
            name: typed.text("token"),
            scopes: scopes.collect::<Result<_, _>>()?,
            days: typed.text("days").trim().parse().unwrap_or(0),
        })
    }
}

/// What `templates/people/secret.hbs` can show: a secret, this once.
#[derive(Serialize)]
pub(crate) struct SecretPage {
    heading: &'static str,
    lead: String,
    label: &'static str,
    secret: String,
    ends: Moment,
    /// For a token: how a program uses it.
    example: Option<Example>,
    back: String,
    #[serde(skip)]
    section: Section,
}

/// A call of the API that is ready to be pasted into a shell.
#[derive(Debug, Serialize)]
pub(super) struct Example {
    text: String,
}

impl Example {
    /// With the token itself, this once, or with a place for it.
    pub(super) fn new(request: &HttpRequest, token: Option<&str>) -> Self {
        let token = token.unwrap_or("gaz_…");
        let search = links::with_query(&links::api_search(), [("q", "orders")]);
        let url = whole_address(request, &search);
        Self {
            text: format!(
                "export GAZETTEER_TOKEN={token}\ncurl -H \"Authorization: Bearer $GAZETTEER_TOKEN\" '{url}'"
            ),
        }
    }
}

impl View for SecretPage {
    const TEMPLATE: &'static str = "people/secret";

    fn title(&self) -> &str {
        self.heading
    }

    fn section(&self) -> Option<Section> {
        Some(self.section)
    }
}

impl SecretPage {
    pub(super) fn of_token(
        made: &Made,
        request: &HttpRequest,
        (back, section): (String, Section),
    ) -> Self {
        let secret = made.secret.expose_secret().to_owned();
        Self {
            heading: "New token",
            lead: format!(
                "Copy “{}” now. It is shown only once, because we do not store it.",
                made.token.name
            ),
            label: "Token",
            example: Some(Example::new(request, Some(&secret))),
            secret,
            ends: Moment::of(made.token.expires_at),
            back,
            section,
        }
    }

    pub(super) fn of_link(account: &str, address: String, ends: Moment, back: String) -> Self {
        Self {
            heading: "Invitation link",
            lead: format!(
                "Send it privately to “{account}”: it lets them choose a password. It works once and is shown only once. Earlier links no longer work."
            ),
            label: "Link",
            example: None,
            secret: address,
            ends,
            back,
            section: Section::People,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::browser;

    #[test]
    fn a_browser_is_named_as_people_name_it() {
        let shown = |agent| browser(agent).shown;

        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Mobile/15E148 Safari/604.1";

        assert_eq!(shown(firefox), "Firefox 140 on Linux");
        assert_eq!(browser(firefox).whole.as_deref(), Some(firefox));
        assert_eq!(shown(edge), "Edge 138 on Windows");
        assert_eq!(shown(phone), "Safari 18 on an iPhone");
        assert_eq!(shown("curl/8.14.1"), "curl/8.14.1");
        assert_eq!(shown(""), "Unknown browser");
    }
}
