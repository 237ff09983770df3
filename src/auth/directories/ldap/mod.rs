//! An LDAP server: it finds a person by the name they typed, and checks their password by being bound as them.
//!
//! A name that is unknown, one that fits several people and a wrong password get the same answer, after the same steps.
//! Referrals are not followed: a password goes to the server that was named and to no other.

mod error;
mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{
    LdapConnAsync, LdapConnSettings, LdapResult, Scope, SearchEntry, SearchOptions, ldap_escape,
};
use rustls::ClientConfig;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};
use url::Url;

use super::Assertion;
use super::mapping::{Mapping, Person};
use super::seen::Seen;
use crate::error::chain;

pub use error::{Error, NoSuchPlace};

/// How long the connection, and then each question, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long everything together may take.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(15);

/// Longer names are nobody's.
const LONGEST_NAME: usize = 256;

/// More groups than this of one person are not read.
const MOST_GROUPS: i32 = 1_000;

/// What servers call the id that an entry keeps when it is renamed or moved: OpenLDAP and others, 389.
const IDS: [&str; 2] = ["entryUUID", "nsUniqueId"];

/// What Active Directory calls it; it is bytes there, which can look like text by chance.
const BYTES_ID: &str = "objectGUID";

/// The code of a name and password that do not go together.
const INVALID_CREDENTIALS: u32 = 49;

/// The code of a place that is not there.
const NO_SUCH_OBJECT: u32 = 32;

/// The code of an answer that was cut short.
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// The codes of a server that cannot answer now: busy, unavailable.
const NOT_NOW: [u32; 2] = [51, 52];

/// An LDAP server, and how people and groups are found in it.
#[derive(Debug)]
pub struct Ldap {
    url: Url,
    starttls: bool,
    /// Which certificates are trusted; those of the system without one.
    tls: Option<Arc<ClientConfig>>,
    binding: Option<(String, SecretString)>,
    base: String,
    user_filter: String,
    name_attribute: String,
    display_name_attribute: String,
    group_base: String,
    group_filter: String,
    group_attribute: String,
    issuer: String,
    mapping: Mapping,
}

impl Ldap {
    /// Who speaks in the assertions.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Asks the server who it is that has this name and this password.
    pub async fn check(&self, name: &str, password: &SecretString) -> Result<Assertion, Error> {
        // An empty password would be an anonymous bind, which servers answer with success.
        if password.expose_secret().is_empty() {
            self.pretend(name).await?;
            return Err(Error::Wrong(None));
        }
        self.in_time(name, self.ask(name.trim(), Some(password)))
            .await
    }

    /// Takes as long as `check` does with a wrong password, and asks the server nothing about anybody's. An error says that
    /// the server cannot be asked.
    pub async fn pretend(&self, name: &str) -> Result<(), Error> {
        match self.in_time(name, self.ask(name.trim(), None)).await {
            Ok(_) | Err(Error::Wrong(_)) => Ok(()),
            Err(outage) => Err(outage),
        }
    }

    /// Says what somebody would be here who has this name, without their password; nothing for a name that is not one
    /// person's.
    pub async fn look_up(&self, name: &str) -> Result<Option<Assertion>, Error> {
        let name = name.trim();
        let found = async {
            let mut connection = self.connect().await?;
            self.bind(&mut connection).await?;
            match self.find_person(&mut connection, name).await? {
                Some(entry) => self.assertion(&mut connection, &entry, name).await,
                None => Err(Error::Wrong(None)),
            }
        };
        match self.in_time(name, found).await {
            Err(Error::Wrong(_)) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Tells whether the server answers, lets this catalog search, and has the places in which it searches.
    pub async fn probe(&self) -> Result<(), Error> {
        self.in_time("a name", async {
            let mut connection = self.connect().await?;
            self.bind(&mut connection).await?;
            self.find_person(&mut connection, "a name").await?;
            let filter = fill(&self.group_filter, &self.base, "a name");
            self.search_groups(&mut connection, &filter).await.map(drop)
        })
        .await
    }

    async fn in_time<T>(
        &self,
        name: &str,
        asking: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let name = name.trim();
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(Error::Wrong(None));
        }
        let asked = timeout(PATIENCE_IN_ALL, asking).await;
        let asked = asked.unwrap_or_else(|elapsed| Err(Error::Unreachable(elapsed.into())));
        if let Err(error @ (Error::Unreachable(_) | Error::Refused(_) | Error::Nowhere(_))) = &asked
        {
            warn!("nobody can sign in with LDAP: {}", chain(error));
        }
        asked
    }

    /// Finds a person and checks their password; without one, somebody whom no server has is checked.
    async fn ask(&self, name: &str, password: Option<&SecretString>) -> Result<Assertion, Error> {
        let mut connection = self.connect().await?;
        self.bind(&mut connection).await?;
        let person = self.find_person(&mut connection, name).await?;
        // Somebody unknown costs the server as much as somebody known.
        let nobody = || format!("cn=nobody,{}", self.base);
        let dn = match (&person, password) {
            (Some(person), Some(_)) => person.dn.clone(),
            _ => nobody(),
        };
        let password = password.map_or("nobody’s", |password| password.expose_secret());
        let bound = connection
            .ldap
            .with_timeout(PATIENCE)
            .simple_bind(&dn, password);
        let is_right = is_right(&bound.await.map_err(Error::Unreachable)?)?;
        let Some(person) = person else {
            return Err(Error::Wrong(None));
        };
        if !is_right {
            return Err(Error::Wrong(Some(subject(&person))));
        }
        // People may not be allowed to see groups; whoever searches is.
        self.bind(&mut connection).await?;
        self.assertion(&mut connection, &person, name).await
    }

    async fn assertion(
        &self,
        connection: &mut Connection,
        entry: &SearchEntry,
        typed: &str,
    ) -> Result<Assertion, Error> {
        let name = first(entry, &self.name_attribute).unwrap_or_else(|| typed.to_owned());
        let filter = fill(&self.group_filter, &entry.dn, &name);
        let (groups, groups_left_out) = self.search_groups(connection, &filter).await?;
        let texts = entry.attrs.keys().map(|name| (name.as_str(), "text"));
        let bytes = entry.bin_attrs.keys().map(|name| (name.as_str(), "bytes"));
        let kinds = texts.chain(bytes);
        let person = Person {
            subject: subject(entry),
            name,
            display_name: first(entry, &self.display_name_attribute),
            seen: Seen {
                groups_left_out,
                ..Seen::new(kinds.map(|(name, kind)| (name, kind.to_owned())), &groups)
            },
            groups,
        };
        Ok(self.mapping.assertion(&self.issuer, person))
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let mut settings = LdapConnSettings::new()
            .set_conn_timeout(PATIENCE)
            .set_starttls(self.starttls);
        if let Some(tls) = &self.tls {
            settings = settings.set_config(Arc::clone(tls));
        }
        let connected = LdapConnAsync::from_url_with_settings(settings, &self.url).await;
        let (connection, ldap) = connected.map_err(Error::Unreachable)?;
        let driver = tokio::spawn(async move {
            if let Err(broken) = connection.drive().await {
                warn!("the connection to the LDAP server broke: {broken}");
            }
        });
        Ok(Connection { ldap, driver })
    }

    /// Becomes whoever searches.
    async fn bind(&self, connection: &mut Connection) -> Result<(), Error> {
        let ldap = connection.ldap.with_timeout(PATIENCE);
        let bound = match &self.binding {
            Some((dn, password)) => ldap.simple_bind(dn, password.expose_secret()).await,
            None => ldap.simple_bind("", "").await,
        };
        let result = bound.map_err(Error::Unreachable)?;
        result.success().map(drop).map_err(Error::Refused)
    }

    /// Finds the one entry that has this name.
    async fn find_person(
        &self,
        connection: &mut Connection,
        name: &str,
    ) -> Result<Option<SearchEntry>, Error> {
        let filter = self.user_filter.replace("{name}", &ldap_escape(name));
        let mut attributes = vec![
            self.name_attribute.as_str(),
            self.display_name_attribute.as_str(),
        ];
        attributes.extend(IDS);
        attributes.push(BYTES_ID);
        let place = Place {
            variable: "GAZETTEER_LDAP_BASE_DN",
            dn: &self.base,
        };
        let found = connection.search(place, &filter, attributes, 2).await?;
        let mut found = found.entries;
        if found.len() > 1 {
            warn!(
                "the LDAP filter for people finds several entries for one name: nobody is signed in"
            );
            return Ok(None);
        }
        Ok(found.pop())
    }

    /// Finds names of groups, and tells whether there are more than the server gives.
    async fn search_groups(
        &self,
        connection: &mut Connection,
        filter: &str,
    ) -> Result<(BTreeSet<String>, bool), Error> {
        let place = Place {
            variable: if self.group_base == self.base {
                "GAZETTEER_LDAP_BASE_DN"
            } else {
                "GAZETTEER_LDAP_GROUP_BASE_DN"
            },
            dn: &self.group_base,
        };
        let attributes = vec![self.group_attribute.as_str()];
        let found = connection
            .search(place, filter, attributes, MOST_GROUPS)
            .await?;
        let names = found.entries.iter();
        let names = names.flat_map(|group| values(group, &self.group_attribute));
        Ok((names.cloned().collect(), found.is_cut))
    }
}

/// Below what is searched, and which setting says so.
#[derive(Clone, Copy)]
struct Place<'a> {
    variable: &'static str,
    dn: &'a str,
}

/// What a search finds.
struct Found {
    entries: Vec<SearchEntry>,
    /// The server has more than it gives.
    is_cut: bool,
}

/// A connection and the task that moves its bytes, which ends with it.
struct Connection {
    ldap: ldap3::Ldap,
    driver: JoinHandle<()>,
}

impl Connection {
    async fn search(
        &mut self,
        place: Place<'_>,
        filter: &str,
        attributes: Vec<&str>,
        most: i32,
    ) -> Result<Found, Error> {
        let options = SearchOptions::new().sizelimit(most);
        let found = self
            .ldap
            .with_search_options(options)
            .with_timeout(PATIENCE)
            .search(place.dn, Scope::Subtree, filter, attributes)
            .await
            .map_err(Error::Unreachable)?;
        if found.1.rc == NO_SUCH_OBJECT {
            return Err(Error::Nowhere(NoSuchPlace {
                variable: place.variable,
                dn: place.dn.to_owned(),
            }));
        }
        let is_cut = found.1.rc == SIZE_LIMIT_EXCEEDED;
        if !is_cut {
            found.1.success().map_err(Error::Refused)?;
        }
        let entries = found.0.into_iter();
        let entries = entries
            .filter(|entry| !entry.is_ref() && !entry.is_intermediate())
            .map(SearchEntry::construct)
            .collect();
        Ok(Found { entries, is_cut })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Tells whether the server took the password; what is neither yes nor no is an error.
fn is_right(result: &LdapResult) -> Result<bool, Error> {
    match result.rc {
        0 => Ok(true),
        INVALID_CREDENTIALS => Ok(false),
        code if NOT_NOW.contains(&code) => Err(Error::Unreachable(result.clone().into())),
        code => {
            // A password that has run out, an account that is locked there.
            info!(code, "the LDAP server refused to bind a person");
            Ok(false)
        }
    }
}

/// Puts a person into a filter; nothing of them can be read as a part of it.
fn fill(filter: &str, dn: &str, name: &str) -> String {
    // In one go, so that braces which somebody typed are not filled in turn.
    let mut filled = String::with_capacity(filter.len() + dn.len());
    let mut rest = filter;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        if let Some(after) = after.strip_prefix("dn}") {
            filled.push_str(&ldap_escape(dn));
            rest = after;
        } else if let Some(after) = after.strip_prefix("name}") {
            filled.push_str(&ldap_escape(name));
            rest = after;
        } else {
            filled.push('{');
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// Who an entry is for good; its DN where the server gives no id.
fn subject(person: &SearchEntry) -> String {
    let id = IDS.iter().find_map(|id| first(person, id));
    id.or_else(|| bytes(person, BYTES_ID))
        .unwrap_or_else(|| person.dn.clone())
}

/// The first value of an attribute, whose name servers spell as they like.
fn first(entry: &SearchEntry, attribute: &str) -> Option<String> {
    let value = values(entry, attribute).next()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn values<'e>(entry: &'e SearchEntry, attribute: &'e str) -> impl Iterator<Item = &'e String> {
    let named = entry.attrs.iter();
    named
        .filter(move |(name, _)| name.eq_ignore_ascii_case(attribute))
        .flat_map(|(_, values)| values)
}

fn bytes(entry: &SearchEntry, attribute: &str) -> Option<String> {
    let texts = values(entry, attribute).map(String::as_bytes);
    let named = entry.bin_attrs.iter();
    let others = named.filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
    let mut all = texts.chain(others.flat_map(|(_, values)| values).map(Vec::as_slice));
    let bytes = all.find(|bytes| !bytes.is_empty())?;
    Some(
        bytes
            .iter()
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Problems};

    fn settings() -> config::Ldap {
        config::Ldap {
            url: Some("ldaps://ldap.example".to_owned()),
            base_dn: Some("dc=example,dc=org".to_owned()),
            roles: Some("*=reader".to_owned()),
            ..config::Ldap::default()
        }
    }

    fn problems(settings: &config::Ldap) -> Problems {
        let mut problems = Problems::default();
        drop(Ldap::new(settings, &mut problems));
        problems
    }

    #[test]
    fn what_is_typed_stays_a_value_inside_a_filter() {
        let filled = fill(
            "(&(uid={name})(member={dn}){x})",
            "cn=a*(b)\\",
            "*)(uid=*{dn}\0",
        );

        assert_eq!(
            filled,
            r"(&(uid=\2a\29\28uid=\2a{dn}\00)(member=cn=a\2a\28b\29\5c){x})"
        );
    }

    #[test]
    fn passwords_do_not_travel_in_the_open_unless_somebody_insists() {
        let with = |url: &str, starttls: Option<&str>, insecure: Option<&str>| {
            let settings = config::Ldap {
                url: Some(url.to_owned()),
                starttls: starttls.map(str::to_owned),
                insecure: insecure.map(str::to_owned),
                ..settings()
            };
            problems(&settings) == Problems::default()
        };

        assert!(!with("ldap://ldap.example", None, None));
        assert!(!with("ldap://ldap.example", Some("false"), Some("")));
        assert!(!with("ldap://127.0.0.1.example", None, None));
        assert!(with("ldap://ldap.example", Some("true"), None));
        assert!(with("ldap://ldap.example", None, Some("true")));
        assert!(with("ldaps://ldap.example", None, None));
        assert!(with("ldap://127.0.0.1:3389", None, None));
        assert!(with("ldap://[::1]:3389", None, None));
        assert!(with("ldap://localhost", None, None));
    }

    #[test]
    fn all_problems_of_the_settings_are_told_at_once() {
        let settings = config::Ldap {
            url: Some("ldap.example".to_owned()),
            starttls: Some("maybe".to_owned()),
            ca_file: Some("/nowhere/ca.pem".into()),
            bind_dn: Some("cn=reader".to_owned()),
            user_filter: Some("(uid=anna)".to_owned()),
            group_filter: Some("(member={dn}".to_owned()),
            ..config::Ldap::default()
        };

        insta::assert_snapshot!(problems(&settings), @"
        8 settings need a look.
          GAZETTEER_LDAP_STARTTLS is “true” or “false”, not “maybe”.
          GAZETTEER_LDAP_URL is of the form “ldaps://HOST” or “ldap://HOST”, not “ldap.example”.
          GAZETTEER_LDAP_BASE_DN is missing: it says below what people are searched for, such as “ou=people,dc=example,dc=org”.
          GAZETTEER_LDAP_USER_FILTER finds everybody the same: {name} has to occur in it.
          GAZETTEER_LDAP_GROUP_FILTER is not a filter of LDAP, such as “(&(objectClass=person)(uid={name}))”: “(member={dn}”.
          GAZETTEER_LDAP_ROLES is missing: it says who may come in, such as “catalog-admins=admin,*=reader”.
          GAZETTEER_LDAP_CA_FILE “/nowhere/ca.pem” cannot be read: I/O error: No such file or directory (os error 2).
          GAZETTEER_LDAP_BIND_DN is given, but GAZETTEER_LDAP_BIND_PASSWORD is missing.
        ");
    }

    #[tokio::test]
    async fn an_empty_password_meets_an_outage_like_any_other() {
        // Nobody listens there.
        let settings = config::Ldap {
            url: Some("ldap://127.0.0.1:1".to_owned()),
            ..settings()
        };
        let ldap = Ldap::new(&settings, &mut Problems::default()).unwrap();

        let empty = ldap.check("anna", &"".into()).await;
        let asked = ldap.check("anna", &"secret".into()).await;

        assert!(matches!(empty, Err(Error::Unreachable(_))), "{empty:?}");
        assert!(matches!(asked, Err(Error::Unreachable(_))), "{asked:?}");
    }
}
