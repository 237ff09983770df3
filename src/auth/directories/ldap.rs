//! An LDAP server: it finds a person by the name they typed, and checks their password by being bound as them.
//!
//! A name that is unknown, one that fits several people and a wrong password get the same answer, after the same steps.
//! Referrals are not followed: a password goes to the server that was named and to no other.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{
    LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry, SearchOptions,
    ldap_escape,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};
use url::Url;

use super::Assertion;
use super::mapping::{Mapping, Person};
use super::settings::{given, is_this_machine, need, truth};
use crate::config::{self, Problems};
use crate::error::{Explain, Kind, chain};

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
    /// Reads the settings; nothing when there are none.
    pub(super) fn new(settings: &config::Ldap, problems: &mut Problems) -> Option<Self> {
        let address = given(settings.url.as_ref())?;
        let starttls = truth(
            settings.starttls.as_ref(),
            "GAZETTEER_LDAP_STARTTLS",
            problems,
        );
        let insecure = truth(
            settings.insecure.as_ref(),
            "GAZETTEER_LDAP_INSECURE",
            problems,
        );
        let url = read_url(&address, starttls, insecure, problems);
        let what =
            "it says below what people are searched for, such as “ou=people,dc=example,dc=org”";
        let base = need(
            settings.base_dn.as_ref(),
            "GAZETTEER_LDAP_BASE_DN",
            what,
            problems,
        );
        let user_filter = or(settings.user_filter.as_ref(), "(uid={name})");
        check_filter(
            &user_filter,
            &["{name}"],
            "GAZETTEER_LDAP_USER_FILTER",
            problems,
        );
        let group_filter = or(settings.group_filter.as_ref(), "(member={dn})");
        let places = ["{dn}", "{name}"];
        check_filter(
            &group_filter,
            &places,
            "GAZETTEER_LDAP_GROUP_FILTER",
            problems,
        );
        let mapping = Mapping::read(
            settings.roles.as_ref(),
            settings.teams.as_ref(),
            "GAZETTEER_LDAP",
            problems,
        );
        let tls = match &settings.ca_file {
            Some(file) if !file.as_os_str().is_empty() => trust(file, problems),
            _ => {
                // The library asks for the process's own; there may be one already.
                drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
                None
            }
        };
        let binding = read_binding(settings, problems);
        let (url, base) = (url?, base?);
        Some(Self {
            url,
            starttls,
            tls,
            binding,
            user_filter,
            name_attribute: or(settings.name_attribute.as_ref(), "uid"),
            display_name_attribute: or(settings.display_name_attribute.as_ref(), "cn"),
            group_base: or(settings.group_base_dn.as_ref(), &base),
            group_filter,
            group_attribute: or(settings.group_attribute.as_ref(), "cn"),
            // People stay who they are when the server moves to another host.
            issuer: format!("ldap:{}", base.to_lowercase()),
            base,
            mapping,
        })
    }

    /// Asks the server who it is that has this name and this password.
    pub async fn check(&self, name: &str, password: &SecretString) -> Result<Assertion, Error> {
        let name = name.trim();
        // An empty password would be an anonymous bind, which servers answer with success.
        if name.is_empty() || name.len() > LONGEST_NAME || password.expose_secret().is_empty() {
            return Err(Error::Wrong);
        }
        let asked = timeout(PATIENCE_IN_ALL, self.ask(name, password)).await;
        let asked = asked.unwrap_or_else(|elapsed| Err(Error::Unreachable(elapsed.into())));
        if let Err(error @ (Error::Unreachable(_) | Error::Refused(_))) = &asked {
            warn!("nobody can sign in with LDAP: {}", chain(error));
        }
        asked
    }

    async fn ask(&self, name: &str, password: &SecretString) -> Result<Assertion, Error> {
        let mut connection = self.connect().await?;
        self.bind(&mut connection).await?;
        let person = self.find_person(&mut connection, name).await?;
        // Somebody unknown costs the server as much as somebody known.
        let dn = person.as_ref().map_or_else(
            || format!("cn=nobody,{}", self.base),
            |person| person.dn.clone(),
        );
        let password = password.expose_secret();
        let bound = connection
            .ldap
            .with_timeout(PATIENCE)
            .simple_bind(&dn, password);
        let is_right = is_right(&bound.await.map_err(Error::Unreachable)?)?;
        let Some(person) = person.filter(|_| is_right) else {
            return Err(Error::Wrong);
        };
        // People may not be allowed to see groups; whoever searches is.
        self.bind(&mut connection).await?;
        let groups = self.find_groups(&mut connection, &person, name).await?;
        let person = Person {
            subject: subject(&person),
            name: first(&person, &self.name_attribute).unwrap_or_else(|| name.to_owned()),
            display_name: first(&person, &self.display_name_attribute),
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
        let mut found = connection
            .search(&self.base, &filter, attributes, 2)
            .await?;
        if found.len() > 1 {
            warn!(
                "the LDAP filter for people finds several entries for one name: nobody is signed in"
            );
            return Ok(None);
        }
        Ok(found.pop())
    }

    async fn find_groups(
        &self,
        connection: &mut Connection,
        person: &SearchEntry,
        name: &str,
    ) -> Result<BTreeSet<String>, Error> {
        let name = first(person, &self.name_attribute).unwrap_or_else(|| name.to_owned());
        let filter = fill(&self.group_filter, &person.dn, &name);
        let attributes = vec![self.group_attribute.as_str()];
        let found = connection
            .search(&self.group_base, &filter, attributes, MOST_GROUPS)
            .await?;
        Ok(found
            .iter()
            .flat_map(|group| values(group, &self.group_attribute))
            .cloned()
            .collect())
    }
}

/// A connection and the task that moves its bytes, which ends with it.
struct Connection {
    ldap: ldap3::Ldap,
    driver: JoinHandle<()>,
}

impl Connection {
    async fn search(
        &mut self,
        base: &str,
        filter: &str,
        attributes: Vec<&str>,
        most: i32,
    ) -> Result<Vec<SearchEntry>, Error> {
        let options = SearchOptions::new().sizelimit(most);
        let found = self
            .ldap
            .with_search_options(options)
            .with_timeout(PATIENCE)
            .search(base, Scope::Subtree, filter, attributes)
            .await
            .map_err(Error::Unreachable)?;
        if found.1.rc != SIZE_LIMIT_EXCEEDED {
            found.1.success().map_err(Error::Refused)?;
        }
        let entries = found.0.into_iter();
        Ok(entries
            .filter(|entry| !entry.is_ref() && !entry.is_intermediate())
            .map(SearchEntry::construct)
            .collect())
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

fn read_url(address: &str, starttls: bool, insecure: bool, problems: &mut Problems) -> Option<Url> {
    let url = Url::parse(address).ok();
    let url = url.filter(|url| {
        matches!(url.scheme(), "ldap" | "ldaps")
            && url.host_str().is_some_and(|host| !host.is_empty())
    });
    let Some(url) = url else {
        problems.note(format!(
            "GAZETTEER_LDAP_URL is of the form “ldaps://HOST” or “ldap://HOST”, not “{address}”."
        ));
        return None;
    };
    if url.scheme() == "ldaps" && starttls {
        problems.note(
            "GAZETTEER_LDAP_STARTTLS is for “ldap://”: what begins as “ldaps://” is encrypted already.",
        );
    }
    if url.scheme() == "ldap" && !starttls && !insecure && !is_local(&url) {
        problems.note(
            "GAZETTEER_LDAP_URL would send passwords without encryption: write “ldaps://”, or set \
             GAZETTEER_LDAP_STARTTLS=true (or GAZETTEER_LDAP_INSECURE=true if the way there is safe by other means).",
        );
    }
    Some(url)
}

/// Addresses of this scheme are read as names, numbers and all.
fn is_local(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_this_machine(&url))
}

fn read_binding(
    settings: &config::Ldap,
    problems: &mut Problems,
) -> Option<(String, SecretString)> {
    let dn = given(settings.bind_dn.as_ref());
    let password = settings
        .bind_password
        .clone()
        .filter(|password| !password.expose_secret().is_empty());
    match (dn, password) {
        (Some(dn), Some(password)) => Some((dn, password)),
        (Some(_), None) => {
            problems.note(
                "GAZETTEER_LDAP_BIND_DN is given, but GAZETTEER_LDAP_BIND_PASSWORD is missing.",
            );
            None
        }
        (None, Some(_)) => {
            problems.note(
                "GAZETTEER_LDAP_BIND_PASSWORD is given, but GAZETTEER_LDAP_BIND_DN is missing.",
            );
            None
        }
        (None, None) => None,
    }
}

/// Reads a filter as it will be, and sees to it that it depends on the person.
fn check_filter(filter: &str, places: &[&str], variable: &str, problems: &mut Problems) {
    if !places.iter().any(|place| filter.contains(place)) {
        problems.note(format!(
            "{variable} finds everybody the same: {} has to occur in it.",
            places.join(" or ")
        ));
    } else if ldap3::parse_filter(fill(filter, "cn=x", "x")).is_err() {
        problems.note(format!(
            "{variable} is not a filter of LDAP, such as “(&(objectClass=person)(uid={{name}}))”: “{filter}”."
        ));
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

/// Trusts what the certificates of a file have signed, and nothing else.
fn trust(file: &Path, problems: &mut Problems) -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(certificates) => {
            roots.add_parsable_certificates(certificates);
        }
        Err(unreadable) => {
            problems.note(format!(
                "GAZETTEER_LDAP_CA_FILE “{}” cannot be read: {unreadable}.",
                file.display()
            ));
            return None;
        }
    }
    if roots.is_empty() {
        problems.note(format!(
            "GAZETTEER_LDAP_CA_FILE “{}” holds no certificate in PEM form.",
            file.display()
        ));
        return None;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the protocols")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(Arc::new(config))
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

fn or(text: Option<&String>, default: &str) -> String {
    given(text).unwrap_or_else(|| default.to_owned())
}

/// Why an LDAP server did not say who somebody is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Which of the two is not told to anybody.
    #[error("There is no account with this name and this password.")]
    Wrong,
    #[error("The directory does not answer, so that names and passwords cannot be checked there.")]
    Unreachable(#[source] LdapError),
    #[error("The directory does not let this catalog search for people.")]
    Refused(#[source] LdapError),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Wrong => Kind::Unauthenticated,
            Self::Unreachable(_) | Self::Refused(_) => Kind::Unavailable,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Wrong => "Check both, and that the capital letters are as they should be.",
            Self::Unreachable(_) => {
                "Try it again in a moment. An account with a password of its own can sign in meanwhile."
            }
            Self::Refused(_) => {
                "Ask whoever runs the catalog to check who it searches as. An account with a password of its own can sign in meanwhile."
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    async fn an_empty_password_is_refused_before_anybody_is_asked() {
        // Nobody listens there: an attempt to ask would say so.
        let settings = config::Ldap {
            url: Some("ldap://127.0.0.1:1".to_owned()),
            ..settings()
        };
        let ldap = Ldap::new(&settings, &mut Problems::default()).unwrap();

        let empty = ldap.check("anna", &"".into()).await;
        let asked = ldap.check("anna", &"secret".into()).await;

        assert!(matches!(empty, Err(Error::Wrong)), "{empty:?}");
        assert!(matches!(asked, Err(Error::Unreachable(_))), "{asked:?}");
    }
}
