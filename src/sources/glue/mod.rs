//! AWS Glue: what to read of it, and as whom.
//!
//! Deliberately absent: the reading (`reading`), the calls themselves (`client`), what comes back from them (`answer`),
//! and what it means (`translate`).

mod ahead;
mod answer;
mod arn;
mod batch;
mod client;
mod columns;
mod fields;
mod format;
mod http;
mod limits;
mod links;
mod measure;
mod pages;
mod parameters;
mod reading;
mod scan;
mod spark;
mod translate;
mod type_members;
mod type_words;
mod types;
mod view;

use std::time::Duration;

use secrecy::SecretString;

pub use self::limits::{Limits, Size};
pub(super) use self::reading::discover;
use super::Pattern;
use crate::catalog::Address;

/// The platform of everything that Glue reports.
pub const PLATFORM: &str = "glue";

/// What to read of which Glue catalog, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to ask; unset, the profile or the environment says.
    pub region: Option<String>,
    /// Whose credentials are used, before any role is assumed.
    pub identity: AwsCredentials,
    /// Roles to assume one after the other, each with the credentials of the one before.
    pub roles: Vec<AssumeRole>,
    /// Another server that speaks Glue's protocol, and that of STS for the roles.
    pub endpoint_url: Option<String>,
    /// Another account's catalog.
    pub catalog_id: Option<String>,
    /// The instance in every address, instead of account and region.
    pub platform_instance: Option<String>,
    /// Appended to the instance, unless it is `PROD`.
    pub env: Option<String>,
    /// Which databases, by name.
    pub databases: Pattern,
    /// Which tables, by `database.table`.
    pub tables: Pattern,
    /// Leaves out databases and tables that only point elsewhere.
    pub ignore_resource_links: bool,
    /// Whether the owners that Glue names are reported.
    pub extract_owners: bool,
    /// How many databases are read at once.
    pub parallel_databases: usize,
    /// How many databases or tables to ask for at once; Glue gives no more than 100.
    pub page_size: i32,
    /// The longest pause before a request is sent for the second time; later pauses double.
    pub first_pause: Duration,
    /// How much may be sent.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: None,
            identity: AwsCredentials::Chain,
            roles: Vec::new(),
            endpoint_url: None,
            catalog_id: None,
            platform_instance: None,
            env: None,
            databases: Pattern::default(),
            tables: Pattern::default(),
            ignore_resource_links: false,
            extract_owners: true,
            parallel_databases: 4,
            page_size: 100,
            first_pause: Duration::from_secs(1),
            limits: Limits::default(),
        }
    }
}

/// Whose credentials are used.
#[derive(Debug, Clone, Default)]
pub enum AwsCredentials {
    /// Whatever the SDK finds: environment, profile, container, machine.
    #[default]
    Chain,
    /// A profile of the shared configuration files.
    Profile(String),
    /// Keys from the recipe.
    Keys {
        id: SecretString,
        secret: SecretString,
        session_token: Option<SecretString>,
    },
}

impl AwsCredentials {
    fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Chain | Self::Profile(_) => Vec::new(),
            Self::Keys {
                id,
                secret,
                session_token,
            } => [id, secret]
                .into_iter()
                .chain(session_token)
                .cloned()
                .collect(),
        }
    }
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    pub arn: String,
    pub external_id: Option<String>,
}

impl Settings {
    pub(super) fn covers(&self, address: &Address) -> bool {
        let inside = match address.path.as_slice() {
            [database] => self.databases.allows(database),
            [database, table] => {
                self.databases.allows(database) && self.tables.allows(&full_name(database, table))
            }
            _ => false,
        };
        inside && address.platform == PLATFORM && self.has_instance(&address.instance)
    }

    /// The instance of everything in one account and region.
    fn instance(&self, account: Option<&str>, region: &str) -> String {
        let mut instance = self
            .platform_instance
            .clone()
            .unwrap_or_else(|| translate::instance(account, region));
        if let Some(env) = self.env_in_instance() {
            instance.push('/');
            instance.push_str(env);
        }
        instance
    }

    /// Tells whether an instance can be one of these, as far as the settings alone say.
    fn has_instance(&self, instance: &str) -> bool {
        let rest = match self.env_in_instance() {
            Some(env) => instance
                .strip_suffix(env)
                .and_then(|rest| rest.strip_suffix('/')),
            None => Some(instance),
        };
        let Some(rest) = rest else {
            return false;
        };
        if let Some(named) = &self.platform_instance {
            return rest == named;
        }
        let (account, region) = rest.rsplit_once('/').unwrap_or(("", rest));
        self.region.as_deref().is_none_or(|own| own == region)
            && self.catalog_id.as_deref().is_none_or(|own| own == account)
    }

    fn env_in_instance(&self) -> Option<&str> {
        self.env
            .as_deref()
            .filter(|env| !env.is_empty() && !env.eq_ignore_ascii_case("PROD"))
    }
}

/// The name that a pattern for tables is compared with.
fn full_name(database: &str, table: &str) -> String {
    format!("{database}.{table}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(instance: &str, path: &[&str]) -> Address {
        Address {
            platform: PLATFORM.to_owned(),
            instance: instance.to_owned(),
            path: path.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn settings_cover_what_their_patterns_let_in() {
        let settings = Settings {
            databases: Pattern::new(&["sales"], &[], true).unwrap(),
            tables: Pattern::new(&[".*"], &["sales\\.tmp_"], true).unwrap(),
            ..Settings::default()
        };

        assert!(settings.covers(&address("1/eu", &["sales"])));
        assert!(settings.covers(&address("1/eu", &["sales", "orders"])));
        assert!(!settings.covers(&address("1/eu", &["sales", "tmp_orders"])));
        assert!(!settings.covers(&address("1/eu", &["stock", "orders"])));
    }

    #[test]
    fn settings_cover_their_own_instance_only() {
        let region = |region: &str| Some(region.to_owned());
        let by_region = Settings {
            region: region("eu-1"),
            ..Settings::default()
        };
        let by_account = Settings {
            catalog_id: Some("1".to_owned()),
            ..Settings::default()
        };
        let named = Settings {
            platform_instance: Some("lake".to_owned()),
            env: Some("DEV".to_owned()),
            region: region("eu-1"),
            ..Settings::default()
        };

        assert!(by_region.covers(&address("1/eu-1", &["a"])));
        assert!(!by_region.covers(&address("1/eu-2", &["a"])));
        assert!(by_account.covers(&address("1/eu-1", &["a"])));
        assert!(!by_account.covers(&address("2/eu-1", &["a"])));
        assert!(named.covers(&address("lake/DEV", &["a"])));
        assert!(!named.covers(&address("lake", &["a"])));
    }

    #[test]
    fn the_environment_is_part_of_the_instance_unless_it_is_production() {
        let settings = |env: &str| Settings {
            env: Some(env.to_owned()),
            ..Settings::default()
        };

        assert_eq!(settings("PROD").instance(Some("1"), "eu"), "1/eu");
        assert_eq!(settings("DEV").instance(Some("1"), "eu"), "1/eu/DEV");
    }

    #[test]
    fn settings_keep_their_secrets() {
        let identity = AwsCredentials::Keys {
            id: "AKIDHIDDEN".into(),
            secret: "hidden-secret".into(),
            session_token: Some("hidden-token".into()),
        };
        let shown = format!(
            "{:?}",
            Settings {
                identity,
                ..Settings::default()
            }
        );

        assert!(!shown.to_lowercase().contains("hidden"), "{shown}");
    }
}
