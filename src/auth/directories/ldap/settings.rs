//! The settings of an LDAP server: which way is safe, whom to trust, what is a filter.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::super::mapping::Mapping;
use super::super::settings::{given, is_this_machine, need, truth};
use super::{Ldap, fill};
use crate::config::{self, Problems};

impl Ldap {
    /// Reads the settings; nothing when there are none.
    pub(in crate::auth::directories) fn new(
        settings: &config::Ldap,
        problems: &mut Problems,
    ) -> Option<Self> {
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
        let user_filter = in_brackets(or(settings.user_filter.as_ref(), "(uid={name})"));
        check_filter(
            &user_filter,
            &["{name}"],
            "GAZETTEER_LDAP_USER_FILTER",
            problems,
        );
        let group_filter = in_brackets(or(settings.group_filter.as_ref(), "(member={dn})"));
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

/// A filter with the brackets around it that people leave out, as in `|(uid={name})(mail={name})`.
fn in_brackets(filter: String) -> String {
    if filter.starts_with('(') {
        filter
    } else {
        format!("({filter})")
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

fn or(text: Option<&String>, default: &str) -> String {
    given(text).unwrap_or_else(|| default.to_owned())
}
