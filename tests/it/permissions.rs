//! Every route and who may ask: one table, `snapshots/permissions.snap`. A route that is new or missing changes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::Utc;
use gazetteer::auth::accounts::{self, RoleGrant};
use gazetteer::auth::tokens::{self, NewToken};
use gazetteer::auth::{Actor, Role, Scope, TokenScope, teams};
use gazetteer::catalog::{AssetId, Batch};
use gazetteer::demo;
use gazetteer::web::routes::{self, Entry, Site};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::app::{Answer, Browser, INSTANCE, Settings, TestApp, table};

/// Whoever asks, in the order of the table's columns.
const ASKING: [&str; 9] = [
    "nobody",
    "visitor",
    "reader",
    "steward",
    "elsewhere",
    "admin",
    "read",
    "write",
    "ingest",
];

#[tokio::test]
async fn every_route_is_open_to_whom_the_table_says() {
    let closed = World::start(false).await;
    let open = World::start(true).await;
    let mut table = String::from(
        "Who may ask for what. nobody: not signed in; visitor: likewise, where everybody may read; elsewhere: a steward of\n\
         another scope; read, write, ingest: an admin's token of that scope. in: the handler answers; -: refused; sign:\n\
         asked to sign in.\n\n",
    );
    write!(table, "{:<6} {:<50}", "", "").unwrap();
    for who in ASKING {
        write!(table, " {who:<9}").unwrap();
    }
    table.push('\n');
    for site in routes::all() {
        write!(table, "{:<6} {:<50}", site.method.as_str(), site.pattern).unwrap();
        for who in ASKING {
            let world = if who == "visitor" { &open } else { &closed };
            write!(table, " {:<9}", world.ask(&site, who).await).unwrap();
        }
        let trimmed = table.trim_end().len();
        table.truncate(trimmed);
        table.push('\n');
    }

    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("permissions", table);
    });
}

#[test]
fn every_address_but_the_ways_in_and_the_signs_of_life_needs_a_permission() {
    let without: BTreeSet<&str> = routes::all()
        .into_iter()
        .filter(|site| !matches!(site.entry, Entry::With(_)))
        .map(|site| site.pattern)
        .collect();
    let expected = [
        "/api/openapi.json",
        "/choose-password",
        "/healthz",
        "/metrics",
        "/readyz",
        "/set-up",
        "/sign-in",
        "/sign-in/demo",
        "/sign-in/oidc",
        "/sign-in/oidc/callback",
        "/static/{path:.*}",
    ];
    assert_eq!(without, BTreeSet::from(expected));
}

/// A catalog with a table, a run, a person and a team, and a steward of a database that the table is not in.
struct World {
    app: TestApp,
    orders: AssetId,
    /// Somebody who never asks for anything, with a team and a token.
    person: String,
    team: String,
    token: String,
    run: String,
    /// The changes that people make today.
    batch: String,
    tokens: Vec<(&'static str, Browser)>,
}

impl World {
    async fn start(anonymous_read: bool) -> Self {
        let mut world = demo::World::new();
        world.set_table("stock", &json!({"Name": "levels"}));
        let settings = Settings {
            anonymous_read,
            ..Settings::default()
        };
        let app = TestApp::beside_with(world, settings).await;
        let run = app.run("world").await.id.to_string();
        app.add(
            "sales",
            vec![table(&["sales", "orders"], &[("id", "bigint")])],
        )
        .await;
        let elsewhere = app.add("finance", Vec::new()).await;
        let orders = app.id_of(&["sales", "orders"]).await;
        let operator = Actor::operator();
        let db = &app.app.db;
        for name in ["elsewhere", "owner"] {
            app.person(name, Role::Steward, &[]).await;
        }
        let scope = Scope::Database {
            platform: "glue".to_owned(),
            instance: INSTANCE.to_owned(),
            database: elsewhere.0,
        };
        let standing = RoleGrant::new(Role::Steward, Some(vec![scope]));
        let account = accounts::find_named(db, &operator, &"elsewhere".parse().unwrap())
            .await
            .unwrap();
        accounts::set_standing(db, &operator, account.id, standing, Utc::now())
            .await
            .unwrap();
        let admin = accounts::find_named(db, &operator, &"admin".parse().unwrap())
            .await
            .unwrap();
        let mut tokens = Vec::new();
        for scope in TokenScope::ALL {
            let new = NewToken {
                name: scope.as_str(),
                scopes: BTreeSet::from([scope]),
                days: 1,
            };
            let made = tokens::make(db, &operator, admin.id, &new, Utc::now())
                .await
                .unwrap();
            let secret = made.secret.expose_secret();
            tokens.push((scope.as_str(), Browser::with_token(&app.base, secret)));
        }
        app.person("quiet", Role::Reader, &["Data crew"]).await;
        let quiet = accounts::find_named(db, &operator, &"quiet".parse().unwrap())
            .await
            .unwrap();
        let new = NewToken {
            name: "quiet",
            scopes: BTreeSet::from([TokenScope::Read]),
            days: 1,
        };
        let made = tokens::make(db, &operator, quiet.id, &new, Utc::now())
            .await
            .unwrap();
        let crew = teams::find_named(db, &operator, &"Data crew".parse().unwrap())
            .await
            .unwrap();
        Self {
            app,
            orders,
            person: quiet.id.0.to_string(),
            team: crew.id.0.to_string(),
            token: made.token.id.to_string(),
            run,
            batch: Batch::of(None, Utc::now()).id().to_string(),
            tokens,
        }
    }

    /// Asks once; everybody is signed in anew, for one of the routes signs them out.
    async fn ask(&self, site: &Site, who: &str) -> &'static str {
        let token = self.tokens.iter().find(|(name, _)| *name == who);
        let browser = match (who, token) {
            (_, Some((_, browser))) => browser.clone(),
            ("nobody" | "visitor", None) => self.app.visitor(),
            ("reader", None) => self.app.person("reader", Role::Reader, &[]).await,
            ("admin", None) => self.app.person("admin", Role::Admin, &[]).await,
            (name, None) => self.app.person(name, Role::Steward, &[]).await,
        };
        let method = Method::from_bytes(site.method.as_str().as_bytes()).unwrap();
        let mut request = browser.request(method, &self.address(site.pattern));
        if site.method != "GET" {
            request = if site.pattern.starts_with("/api/") {
                request.json(&body(site.pattern))
            } else {
                request.form(&form())
            };
        }
        verdict(&Answer::of(request).await)
    }

    /// An address of a route, of something that is there.
    fn address(&self, pattern: &str) -> String {
        const NOTHING: &str = "01980a5e-7c1b-7def-8a90-1b2c3d4e5f60";
        let orders = self.orders.to_string();
        let of = |id: &String, folder: &str| pattern.contains(folder).then(|| id.clone());
        let id = of(&orders, "/assets/{id}")
            .or(of(&self.run, "/runs/{id}"))
            .or(of(&self.batch, "/changes/{id}"))
            .or(of(&self.person, "/people/{id}"))
            .or(of(&self.team, "/teams/{id}"))
            // Sessions and tokens of one's own: these are somebody else's.
            .unwrap_or_else(|| self.token.clone());
        let instance = INSTANCE.replace('/', "%2F");
        let mut address = pattern.replacen("{id}", &id, 1);
        while let (Some(from), Some(to)) = (address.find('{'), address.find('}')) {
            let word = match address.get(from..=to).unwrap() {
                "{number}" => "1",
                "{column}" | "{path:.*}" => "id",
                "{name}" => "world",
                "{platform}" => "glue",
                "{instance}" => &instance,
                "{account}" => &self.person,
                "{team}" => &self.team,
                "{token}" => &self.token,
                _ => NOTHING,
            };
            address.replace_range(from..=to, word);
        }
        address
    }
}

/// A body that the handler of a route can read.
fn body(pattern: &str) -> serde_json::Value {
    match pattern.rsplit('/').next() {
        Some(set @ ("owners" | "tags" | "links")) => json!({"version": 0, set: []}),
        Some("request" | "dismissal") => json!({}),
        Some("restore") => json!({"version": 0, "what": "before"}),
        Some("display_name") => json!({"version": 0, "name": "Orders"}),
        Some(set @ "related") => json!({"version": 0, set: []}),
        Some("verification") => json!({"version": 0, "until": null}),
        Some("deprecation") => json!({"version": 0, "since": null}),
        _ => json!({"version": 0, "text": "Words."}),
    }
}

/// A form that the handler of a route can read.
fn form() -> Vec<(&'static str, &'static str)> {
    vec![("version", "0"), ("text", "Words."), ("to", "id")]
}

fn verdict(answer: &Answer) -> &'static str {
    let location = answer.header("location");
    let to_sign_in = location == "/sign-in" || location.starts_with("/sign-in?next=");
    match answer.status {
        // Signing out leads there, too.
        StatusCode::SEE_OTHER if to_sign_in && !answer.headers.contains_key("set-cookie") => "sign",
        StatusCode::UNAUTHORIZED => "sign",
        StatusCode::FORBIDDEN => "-",
        status if status.is_server_error() => "broken",
        _ => "in",
    }
}
