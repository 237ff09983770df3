//! AWS Glue: what to read of it, and reading it.
//!
//! Databases are listed first, then the tables of several databases at once, page by page. Whatever goes wrong with one
//! database is said when it is closed; the others go on. Deliberately absent: the calls themselves (`client`), what the
//! answers mean (`translate`), and everything that costs a call for each table, but for following a link.

mod arn;
mod client;
mod columns;
mod fields;
mod format;
mod links;
mod parameters;
mod spark;
mod translate;
mod type_members;
mod type_words;
mod types;
mod view;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_glue::types::{Database, Table};
use futures::StreamExt as _;
use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{Instrument as _, info_span};

use self::client::{Client, Failure, Tokens, Whereabouts};
use self::translate::{Scope, Translated};
use super::{Cost, Error, Finding, Pattern, Report, Skipped};
use crate::catalog::{Address, Discovered, Listing};
use crate::telemetry::request;

/// The platform of everything that Glue reports.
pub const PLATFORM: &str = "glue";

/// How many links of one page are followed at once.
const LINKS_AT_ONCE: usize = 8;

/// What to read of which Glue catalog, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to ask; unset, the profile or the environment says.
    pub region: Option<String>,
    /// Whose credentials are used, before any role is assumed.
    pub identity: Identity,
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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: None,
            identity: Identity::Chain,
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
        }
    }
}

/// Whose credentials are used.
#[derive(Debug, Clone, Default)]
pub enum Identity {
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

impl Identity {
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

pub(super) async fn discover(
    settings: &Settings,
    reports: mpsc::Sender<Report>,
) -> Result<Cost, Error> {
    let client = Client::connect(settings).await?;
    let reading = Arc::new(Reading {
        settings: settings.clone(),
        client,
        reports,
    });
    match reading.databases().await {
        Ok(databases) => Arc::clone(&reading).tables_of_all(databases).await,
        Err(Stop::Gone) => {}
        Err(Stop::Failed(failure)) => return Err(Error::Unreadable(failure.to_string())),
    }
    Ok(Cost {
        calls: reading.client.calls(),
    })
}

/// One reading of one catalog.
struct Reading {
    settings: Settings,
    client: Client,
    reports: mpsc::Sender<Report>,
}

/// A database that was reported as found, and where its tables really are.
struct Open {
    scope: Scope,
    place: Whereabouts,
}

/// Why reading ends early.
enum Stop {
    /// Nobody listens any more.
    Gone,
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Reading {
    /// Reports every database, then how the list of them ended; fails when not even its first page could be read.
    async fn databases(&self) -> Result<Vec<Open>, Stop> {
        let mut open = Vec::new();
        let mut seen = HashSet::new();
        let mut tokens = Tokens::default();
        let mut page = self
            .client
            .databases(self.settings.catalog_id.as_deref(), None)
            .await?;
        let listing = loop {
            for database in page.rows {
                let found = self.open(database, &mut seen).await?;
                open.extend(found);
            }
            let following = match tokens.follow(page.next) {
                Ok(None) => break Listing::Complete,
                Ok(token) => {
                    self.client
                        .databases(self.settings.catalog_id.as_deref(), token)
                        .await
                }
                Err(failure) => Err(failure),
            };
            match following {
                Ok(following) => page = following,
                Err(failure) => break Listing::Incomplete(failure.to_string()),
            }
        };
        self.send(Report::Databases { listing }).await?;
        Ok(open)
    }

    /// Reports a database as found, unless the settings leave it out or it was found before.
    async fn open(
        &self,
        database: Database,
        seen: &mut HashSet<Address>,
    ) -> Result<Option<Open>, Stop> {
        if database.name.is_empty() {
            let text = "AWS Glue listed a database without a name; it was left out.";
            self.find(None, text.to_owned()).await?;
            return Ok(None);
        }
        if !self.settings.databases.allows(&database.name) {
            return Ok(None);
        }
        let scope = self.scope(&database);
        if database.target_database.is_some() && self.settings.ignore_resource_links {
            self.send(Report::Kept(scope.address)).await?;
            return Ok(None);
        }
        if !seen.insert(scope.address.clone()) {
            let text = "AWS Glue listed this database twice; only the first is read.";
            self.find(Some(scope.address), text.to_owned()).await?;
            return Ok(None);
        }
        let place = place(&database, scope.account.clone());
        let found = translate::database(database, &scope);
        self.send(Report::Opened(Box::new(found))).await?;
        Ok(Some(Open { scope, place }))
    }

    fn scope(&self, database: &Database) -> Scope {
        let account = database
            .catalog_id
            .clone()
            .or_else(|| self.settings.catalog_id.clone());
        let region = self.client.region().to_owned();
        Scope {
            address: Address {
                platform: PLATFORM.to_owned(),
                instance: self.settings.instance(account.as_deref(), &region),
                path: vec![database.name.clone()],
            },
            account,
            region,
            owners: self.settings.extract_owners,
        }
    }

    /// Reads the tables of every database, several at once. Dropping it ends them all.
    async fn tables_of_all(self: Arc<Self>, databases: Vec<Open>) {
        let mut tasks = JoinSet::new();
        for database in databases {
            if self.reports.is_closed() {
                return;
            }
            if tasks.len() >= self.settings.parallel_databases.max(1) {
                wait_for_one(&mut tasks).await;
            }
            let reading = Arc::clone(&self);
            let span = info_span!("database", name = database.place.database);
            let reading = async move { reading.tables_of(&database).await };
            tasks.spawn(request::carried(reading).instrument(span));
        }
        while !tasks.is_empty() {
            wait_for_one(&mut tasks).await;
        }
    }

    /// Reads the tables of one database and closes it.
    async fn tables_of(&self, database: &Open) {
        let listing = match self.pages_of(database).await {
            Ok(()) => Listing::Complete,
            Err(Stop::Failed(failure)) => Listing::Incomplete(failure.to_string()),
            Err(Stop::Gone) => return,
        };
        let closed = Report::Closed {
            database: database.scope.address.clone(),
            listing,
        };
        // When nobody listens any more, there is nobody to tell.
        self.send(closed).await.ok();
    }

    /// Reports page after page, asking for the next one while one is translated.
    async fn pages_of(&self, database: &Open) -> Result<(), Stop> {
        let mut tokens = Tokens::default();
        let mut page = self.client.tables(&database.place, None).await?;
        loop {
            match tokens.follow(page.next) {
                Ok(None) => return self.report(database, page.rows).await,
                Ok(token) => {
                    let (following, reported) = futures::join!(
                        self.client.tables(&database.place, token),
                        self.report(database, page.rows)
                    );
                    reported?;
                    page = following?;
                }
                Err(failure) => {
                    self.report(database, page.rows).await?;
                    return Err(failure.into());
                }
            }
        }
    }

    /// Translates one page of tables and reports it.
    async fn report(&self, database: &Open, tables: Vec<Table>) -> Result<(), Stop> {
        let mut batch = Batch::new(&database.scope, tables.len());
        let mut links = Vec::new();
        for table in tables {
            if !self.lets_in(database, &table) {
                continue;
            }
            if table.target_table.is_some() && self.settings.ignore_resource_links {
                let kept = database.scope.address.child(&table.name);
                self.send(Report::Kept(kept)).await?;
                continue;
            }
            if !batch.seen.insert(table.name.clone()) {
                batch.found_twice(&table.name);
            } else if table.target_table.is_some() && !table.name.is_empty() {
                links.push(table);
            } else {
                batch.add(
                    &table.name.clone(),
                    translate::table(table, &database.scope),
                );
            }
        }
        let mut followed = futures::stream::iter(links)
            .map(|link| self.follow(&database.scope, link))
            .buffered(LINKS_AT_ONCE);
        while let Some((name, translated)) = followed.next().await {
            batch.add(&name, translated);
        }
        self.send_batch(batch).await
    }

    fn lets_in(&self, database: &Open, table: &Table) -> bool {
        self.settings
            .tables
            .allows(&full_name(database.scope.database(), &table.name))
    }

    /// Reads what a link points at; a link whose target cannot be read is reported as it stands.
    ///
    /// Unless that may be different next time: then it is skipped, so that the schema known until now stays.
    async fn follow(&self, scope: &Scope, link: Table) -> (String, Result<Translated, String>) {
        let name = link.name.clone();
        let Some((place, target)) = target(scope, &link) else {
            let mut alone = translate::table(link, scope);
            if let Ok(alone) = &mut alone {
                alone
                    .findings
                    .push("This link points at itself, so it has no schema.".to_owned());
            }
            return (name, alone);
        };
        let translated = match self.client.table(&place, &target).await {
            Ok(target) => translate::linked_table(link, target, scope),
            Err(failure) if failure.lasting => translate::table(link, scope).map(|mut alone| {
                alone.findings.push(failure.to_string());
                alone
            }),
            Err(failure) => Err(failure.to_string()),
        };
        (name, translated)
    }

    async fn send_batch(&self, batch: Batch<'_>) -> Result<(), Stop> {
        let Batch {
            scope,
            assets,
            skipped,
            findings,
            ..
        } = batch;
        if !assets.is_empty() || !skipped.is_empty() {
            let database = scope.address.clone();
            self.send(Report::Page {
                database,
                assets,
                skipped,
            })
            .await?;
        }
        for finding in findings {
            self.send(Report::Finding(finding)).await?;
        }
        Ok(())
    }

    async fn find(&self, about: Option<Address>, text: String) -> Result<(), Stop> {
        self.send(Report::Finding(Finding { about, text })).await
    }

    async fn send(&self, report: Report) -> Result<(), Stop> {
        self.reports.send(report).await.or(Err(Stop::Gone))
    }
}

/// One page on its way to whoever applies it.
struct Batch<'a> {
    scope: &'a Scope,
    assets: Vec<Discovered>,
    skipped: Vec<Skipped>,
    findings: Vec<Finding>,
    seen: HashSet<String>,
}

impl<'a> Batch<'a> {
    fn new(scope: &'a Scope, size: usize) -> Self {
        Self {
            scope,
            assets: Vec::with_capacity(size),
            skipped: Vec::new(),
            findings: Vec::new(),
            seen: HashSet::with_capacity(size),
        }
    }

    fn add(&mut self, name: &str, translated: Result<Translated, String>) {
        match translated {
            Ok(Translated { asset, findings }) => {
                let about = |text| Finding {
                    about: Some(asset.address.clone()),
                    text,
                };
                self.findings.extend(findings.into_iter().map(about));
                self.assets.push(asset);
            }
            Err(reason) => {
                self.skipped.push(Skipped {
                    address: self.scope.address.child(name),
                    reason,
                });
            }
        }
    }

    fn found_twice(&mut self, name: &str) {
        self.findings.push(Finding {
            about: Some(self.scope.address.child(name)),
            text: "AWS Glue listed this name twice on one page; the first is kept.".to_owned(),
        });
    }
}

/// Where the tables of a database are: for a link, where it points.
fn place(database: &Database, account: Option<String>) -> Whereabouts {
    let target = database.target_database.as_ref();
    Whereabouts {
        region: target.and_then(|target| target.region.clone()),
        catalog_id: target
            .and_then(|target| target.catalog_id.clone())
            .or(account),
        database: target
            .and_then(|target| target.database_name.clone())
            .unwrap_or_else(|| database.name.clone()),
    }
}

/// What a link points at: where, and its name there; `None` when that is the link itself.
fn target(scope: &Scope, link: &Table) -> Option<(Whereabouts, String)> {
    let target = link.target_table.as_ref()?;
    let name = target.name.clone().unwrap_or_else(|| link.name.clone());
    let place = Whereabouts {
        region: target.region.clone(),
        catalog_id: target.catalog_id.clone().or_else(|| scope.account.clone()),
        database: target
            .database_name
            .clone()
            .unwrap_or_else(|| scope.database().to_owned()),
    };
    let is_itself = name == link.name
        && place.database == scope.database()
        && place.catalog_id == scope.account
        && place
            .region
            .as_deref()
            .is_none_or(|region| region == scope.region);
    (!is_itself).then_some((place, name))
}

/// Waits until one of the tasks is done; a defect in one is not hidden.
async fn wait_for_one(tasks: &mut JoinSet<()>) {
    if let Some(Err(failure)) = tasks.join_next().await
        && failure.is_panic()
    {
        std::panic::resume_unwind(failure.into_panic());
    }
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
        let identity = Identity::Keys {
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
