//! The real application on a free port, asked over HTTP.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests may panic as the tests do"
)]

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use gazetteer::app::{App, Background};
use gazetteer::auth::directories::{self, Assertion, Directories, Seen};
use gazetteer::auth::sessions::{Begun, Lifetimes, Method as SignInMethod, Origin};
use gazetteer::auth::{self, Actor, Passwords, Role, Visibility};
use gazetteer::catalog::{self, Address, AssetId, AssetKind, Cause, Column, Discovered};
use gazetteer::db::{Db, changes};
use gazetteer::demo::{Endpoint, World};
use gazetteer::ingest::{self, Run, RunState, StartedBy};
use gazetteer::search::follow;
use gazetteer::web::{self, Access, Demo, Listener, Options, Parts};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap, redirect};
use scraper::{Html, Selector};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::catalog::TestCatalog;

/// Where assets that a test adds by itself come from.
pub(crate) const INSTANCE: &str = "123456789012/eu-central-1";

/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// An application that answers, until it is dropped. What it is asked itself, an admin named `admin` asks.
pub(crate) struct TestApp {
    pub(crate) app: App,
    /// Such as `http://127.0.0.1:40123`.
    pub(crate) base: String,
    admin: Browser,
    /// What the recipe `world` reads.
    _endpoint: Option<Endpoint>,
    background: Option<Background>,
    serving: Option<JoinHandle<Result<(), web::Error>>>,
    stop: Option<oneshot::Sender<()>>,
    catalog: TestCatalog,
}

/// A browser of somebody, signed in or not. It follows no redirects.
#[derive(Clone)]
pub(crate) struct Browser {
    base: String,
    client: Client,
}

/// What came back, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl TestApp {
    /// An empty catalog without recipes.
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// An empty catalog in this Postgres database.
    pub(crate) async fn on(url: &str) -> Self {
        let catalog = TestCatalog::on(Some(url.to_owned())).await;
        Self::around_with(catalog, None, Settings::default()).await
    }

    /// A filled catalog of the released schema, brought up to date by the start.
    pub(crate) async fn released() -> Self {
        Self::around_with(TestCatalog::released().await, None, Settings::default()).await
    }

    /// A catalog with a recipe named `world`, which reads this; it has not been run yet.
    pub(crate) async fn beside(world: World) -> Self {
        Self::beside_with(world, Settings::default()).await
    }

    /// The same with other settings.
    pub(crate) async fn beside_with(world: World, settings: Settings) -> Self {
        let endpoint = Endpoint::start(world).await.unwrap();
        let catalog = TestCatalog::start().await;
        catalog.write_recipe("world", &endpoint.url(), "", "");
        Self::around_with(catalog, Some(endpoint), settings).await
    }

    /// A catalog into which this has been read.
    pub(crate) async fn reading(world: World) -> Self {
        let app = Self::beside(world).await;
        app.run("world").await;
        app.until_indexed().await;
        app
    }

    /// An empty catalog in which nobody has an account.
    pub(crate) async fn without_people() -> Self {
        Self::start_with(Settings {
            nobody: true,
            ..Settings::default()
        })
        .await
    }

    /// An empty catalog with other settings.
    pub(crate) async fn start_with(settings: Settings) -> Self {
        Self::around_with(TestCatalog::start().await, None, settings).await
    }

    /// An empty catalog without recipes, served in a particular way and open to be read by everybody.
    pub(crate) async fn serving(options: Options) -> Self {
        let settings = Settings {
            options,
            anonymous_read: true,
            ..Settings::default()
        };
        Self::start_with(settings).await
    }

    async fn around_with(
        catalog: TestCatalog,
        endpoint: Option<Endpoint>,
        settings: Settings,
    ) -> Self {
        let app = catalog.app.clone();
        let background = app.start_background().await.unwrap();
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        let base = format!("{}://{}", settings.options.scheme(), listener.address());
        let parts = Parts {
            db: app.db.clone(),
            index: app.index.clone(),
            runner: app.runner.clone(),
            access: Access {
                directories: settings.directories,
                passwords: Passwords::start(),
                lifetimes: LIFETIMES,
                anonymous_read: settings.anonymous_read,
                demo: settings.demo.then(Demo::default),
            },
            written: Arc::clone(&app.written),
        };
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let options = Options {
            workers: 1,
            ..settings.options
        };
        let serving = tokio::spawn(web::serve(parts, listener, options, shutdown));
        let admin = if settings.nobody {
            Browser::new(&base, None)
        } else {
            sign_in(&app.db, &base, "admin", Role::Admin, &[]).await
        };
        Self {
            app,
            base,
            admin,
            _endpoint: endpoint,
            background: Some(background),
            serving: Some(serving),
            stop: Some(stop),
            catalog,
        }
    }

    /// Adds or replaces a recipe.
    pub(crate) fn write_recipe(&self, name: &str, text: &str) {
        let folder = self.catalog.dir.path().join("recipes");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.yml")), text).unwrap();
    }

    /// The folder of the catalog's data.
    pub(crate) fn data_dir(&self) -> &Path {
        self.catalog.storage.data_dir()
    }

    /// Where the catalog's database is, for another process.
    pub(crate) fn database_url(&self) -> SecretString {
        self.catalog.storage.database_url()
    }

    /// The browser in which the admin is signed in.
    pub(crate) fn admin(&self) -> &Browser {
        &self.admin
    }

    /// A browser of nobody.
    pub(crate) fn visitor(&self) -> Browser {
        Browser::new(&self.base, None)
    }

    /// A browser in which somebody is signed in, who gets an account at the first time. Signed in again with another
    /// role or other teams, they have these.
    pub(crate) async fn person(&self, name: &str, role: Role, teams: &[&str]) -> Browser {
        sign_in(&self.app.db, &self.base, name, role, teams).await
    }

    /// Puts a file where the index's folder was: nothing can be written to the index any more.
    pub(crate) fn spoil_index(&self) {
        let folder = self.index_dir();
        // At once, for the server may be writing there.
        std::fs::rename(&folder, folder.with_extension("aside")).unwrap();
        std::fs::write(&folder, "").unwrap();
    }

    /// Where the indexes are.
    pub(crate) fn index_dir(&self) -> PathBuf {
        self.catalog.storage.index_dir()
    }

    /// A request that is still to be sent, by the admin.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.admin.request(method, path)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.admin.get(path).await
    }

    /// Sends an empty form, as a button does.
    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.admin.post(path, &[]).await
    }

    /// A page that must be there.
    pub(crate) async fn page(&self, path: &str) -> Html {
        self.admin.page(path).await
    }

    /// JSON that must be there.
    pub(crate) async fn json(&self, path: &str) -> Value {
        self.admin.json(path).await
    }

    /// Adds a database with these tables and views, as a complete report of a source would; answers the database's id.
    pub(crate) async fn add(&self, database: &str, inside: Vec<Discovered>) -> AssetId {
        let cause = Cause {
            actor: Actor::recipe("test"),
            run: None,
        };
        let now = Utc::now();
        let discovered = asset(AssetKind::Database, &[database]);
        let mut scopes = catalog::open(&self.app.db, &cause, vec![discovered], now)
            .await
            .unwrap();
        catalog::apply(&self.app.db, &cause, vec![(&mut scopes[0], inside)], now)
            .await
            .unwrap();
        self.app.written.notify_one();
        scopes[0].database()
    }

    /// Finds the id of something that was added, by its path.
    pub(crate) async fn id_of(&self, path: &[&str]) -> AssetId {
        let address = address(path);
        let found = catalog::find_at(&self.app.db, &Visibility::Everything, &[&address])
            .await
            .unwrap();
        let id = found.into_values().next();
        id.unwrap_or_else(|| panic!("there is no {path:?}"))
    }

    /// Runs a recipe and waits for its end.
    pub(crate) async fn run(&self, recipe: &str) -> Run {
        let runner = &self.app.runner;
        let id = runner
            .start(recipe, &Actor::operator(), StartedBy::Command)
            .await
            .unwrap();
        self.until_ended(id).await
    }

    /// Waits for the end of a run.
    pub(crate) async fn until_ended(&self, id: uuid::Uuid) -> Run {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let run = ingest::find_run(&self.app.db, &Visibility::Everything, id)
                .await
                .unwrap();
            if run.state != RunState::Running {
                return run;
            }
            assert!(Instant::now() < deadline, "the run goes on and on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the index contains every change.
    pub(crate) async fn until_indexed(&self) {
        let deadline = Instant::now() + PATIENCE;
        let head = changes::head(&*self.app.db).await.unwrap();
        while self.app.index.applied() < head {
            assert!(Instant::now() < deadline, "the index does not follow");
            self.app.written.notify_one();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the index on disk contains every change, as after the end of a server.
    pub(crate) async fn until_written(&self) {
        let deadline = Instant::now() + PATIENCE;
        while follow::write_down(&self.app.db, &self.app.index)
            .await
            .is_err()
        {
            assert!(Instant::now() < deadline, "the index cannot be written");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it as Ctrl-C does, and waits until it has. Answers what is left behind.
    pub(crate) async fn stop(mut self) -> TestCatalog {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            serving.await.unwrap().unwrap();
        }
        if let Some(background) = self.background.take() {
            background.stop().await;
        }
        self.catalog
    }
}

/// What a test may want otherwise.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) anonymous_read: bool,
    pub(crate) demo: bool,
    /// Not even the admin has an account.
    pub(crate) nobody: bool,
    pub(crate) directories: Directories,
    pub(crate) options: Options,
}

/// How long sessions last in tests.
pub(crate) const LIFETIMES: Lifetimes = Lifetimes {
    idle: Duration::from_hours(1),
    absolute: Duration::from_hours(24),
};

/// Signs somebody in as a directory does that vouches for them: that takes no password.
async fn sign_in(db: &Db, base: &str, name: &str, role: Role, teams: &[&str]) -> Browser {
    let begun = vouch(db, name, Some(role), teams).await.unwrap();
    Browser::new(base, Some(begun.secret.expose_secret()))
}

/// Lets a directory say who somebody is, what their role is, and in which teams they are.
pub(crate) async fn vouch(
    db: &Db,
    name: &str,
    role: Option<Role>,
    teams: &[&str],
) -> Result<Begun, auth::Error> {
    let assertion = Assertion {
        issuer: "test".to_owned(),
        subject: name.to_owned(),
        name: name.to_owned(),
        display_name: None,
        role,
        teams: teams.iter().map(|team| team.parse().unwrap()).collect(),
        seen: Seen::default(),
    };
    let from = Origin {
        address: Ipv4Addr::LOCALHOST.into(),
        agent: "test".to_owned(),
        request: None,
        marks: Vec::new(),
    };
    directories::sign_in(db, &assertion, SignInMethod::Oidc, &from, LIFETIMES).await
}

impl Browser {
    fn new(base: &str, session: Option<&str>) -> Self {
        let mut headers = HeaderMap::new();
        if let Some(session) = session {
            let cookie = format!("gazetteer={session}").parse().unwrap();
            headers.insert(reqwest::header::COOKIE, cookie);
        }
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .default_headers(headers);
        Self {
            base: base.to_owned(),
            client: client.build().unwrap(),
        }
    }

    /// The same browser with the session of this answer's cookie, or without one if the answer ended it.
    pub(crate) fn with_cookie_of(&self, answer: &Answer) -> Self {
        let set = answer.headers.get_all("set-cookie").iter();
        let mut pairs =
            set.filter_map(|cookie| cookie.to_str().unwrap().split(';').next()?.split_once('='));
        let (_, session) = pairs.find(|(name, _)| name.ends_with("gazetteer")).unwrap();
        Self::new(&self.base, Some(session).filter(|text| !text.is_empty()))
    }

    /// The same browser with a cookie of this value.
    pub(crate) fn with_session(&self, session: &str) -> Self {
        Self::new(&self.base, Some(session))
    }

    /// A browser of nobody, at this server.
    pub(crate) fn visiting(base: &str) -> Self {
        Self::new(base, None)
    }

    /// A program that uses this token.
    pub(crate) fn with_token(base: &str, token: &str) -> Self {
        let bearer = format!("Bearer {token}").parse().unwrap();
        let headers = [(reqwest::header::AUTHORIZATION, bearer)];
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .default_headers(headers.into_iter().collect());
        Self {
            base: base.to_owned(),
            client: client.build().unwrap(),
        }
    }

    /// A request that is still to be sent.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Sends a form.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(self.request(Method::POST, path).form(form)).await
    }

    /// A page that must be there.
    pub(crate) async fn page(&self, path: &str) -> Html {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.html()
    }

    /// JSON that must be there.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        answer.json()
    }
}

/// Where something that a test adds is.
pub(crate) fn address(path: &[&str]) -> Address {
    Address {
        platform: "glue".to_owned(),
        instance: INSTANCE.to_owned(),
        path: path.iter().map(ToString::to_string).collect(),
    }
}

/// An asset as a source reports it, with nothing said of it yet.
pub(crate) fn asset(kind: AssetKind, path: &[&str]) -> Discovered {
    Discovered {
        kind,
        address: address(path),
        source: catalog::SourceLayer::default(),
        facts: catalog::Facts::default(),
        aliases: Vec::new(),
    }
}

/// A table with these columns: name and type.
pub(crate) fn table(path: &[&str], columns: &[(&str, &str)]) -> Discovered {
    let mut table = asset(AssetKind::Table, path);
    let columns = columns.iter().map(|(name, data_type)| Column {
        name: (*name).to_owned(),
        path: (*name).to_owned(),
        data_type: (*data_type).to_owned(),
        ..Column::default()
    });
    table.source.columns = columns.collect();
    table
}

impl Answer {
    /// Sends a request and reads what comes back.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// A header's text, the last one's if there are several; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let last = self.headers.get_all(name).into_iter().next_back();
        last.map_or("", |text| text.to_str().unwrap())
    }

    pub(crate) fn html(&self) -> Html {
        Html::parse_document(&self.text)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

/// The texts of all elements that a selector finds, spaces tidied.
pub(crate) fn texts(html: &Html, selector: &str) -> Vec<String> {
    html.select(&Selector::parse(selector).unwrap())
        .map(|element| {
            let text: String = element.text().collect();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect()
}
