//! Restricted scopes: who sees what is in them, on every way into the catalog.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use gazetteer::app::App;
use gazetteer::auth::accounts::{self, Account, AccountKind, NewAccount, RoleGrant};
use gazetteer::auth::principals::Principal;
use gazetteer::auth::scopes::{self, Admitted};
use gazetteer::auth::teams::{self, Team};
use gazetteer::auth::tokens::{self, NewToken};
use gazetteer::auth::{Actor, Event, Role, Scope, TokenScope, Visibility};
use gazetteer::catalog::human::{self, Description};
use gazetteer::catalog::{
    self, Address, Alias, AssetId, AssetKind, Cause, Children, Discovered, LinkTarget, OutwardLink,
};
use gazetteer::db::PageRequest;
use gazetteer::demo::{Endpoint, World};
use gazetteer::error::{Explain, Kind};
use gazetteer::ingest::RunState;
use gazetteer::revisions::Draft;
use gazetteer::search::{Answer, Choices, FacetField, Query, follow};
use gazetteer::web::routes;
use proptest::test_runner::{Config, TestRunner};
use regex::Regex;
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;

use crate::support::app::{Answer as Response, Browser, INSTANCE, TestApp, asset, table, texts};
use crate::support::catalog::{TestCatalog, all_assets};

/// A source of which nothing may be known.
const ELSEWHERE: &str = "999999999999/us-east-1";

/// Words of which an outsider's answers may contain none.
const HIDDEN: [&str; 5] = ["zymurgy", "quokka", "vexillum", "999999999999", "xanthan"];

fn at(instance: &str, mut discovered: Discovered) -> Discovered {
    instance.clone_into(&mut discovered.address.instance);
    discovered
}

/// Adds a database with these tables, as a complete report of a source would.
async fn add(app: &App, database: Discovered, inside: Vec<Discovered>) -> AssetId {
    let db = &app.db;
    let cause = Cause {
        actor: Actor::recipe("test"),
        run: None,
    };
    let now = Utc::now();
    let mut scopes = catalog::open(db, &cause, vec![database], now)
        .await
        .unwrap();
    catalog::apply(db, &cause, vec![(&mut scopes[0], inside)], now)
        .await
        .unwrap();
    scopes[0].database()
}

/// What everybody sees: two tables in `shop`, one of which links to a table that they may not see.
async fn add_shop(catalog: &TestCatalog) -> AssetId {
    let orders = table(
        &["shop", "orders"],
        &[("customer_id", "bigint"), ("total", "double")],
    );
    let customers = table(&["shop", "customers"], &[("customer_id", "bigint")]);
    add(
        &catalog.app,
        asset(AssetKind::Database, &["shop"]),
        vec![orders, customers],
    )
    .await
}

/// What is to be hidden: a database beside `shop`, and a whole source.
async fn add_hidden(catalog: &TestCatalog) -> AssetId {
    let mut plans = table(
        &["zymurgy", "quokka_orders"],
        &[("vexillum_id", "bigint"), ("customer_id", "bigint")],
    );
    plans.source.description = Some("Orders of customers of the xanthan works".to_owned());
    plans.aliases = vec![Alias {
        system: "s3".to_owned(),
        name: "s3://quokka/orders".to_owned(),
    }];
    plans.facts.links = vec![OutwardLink {
        label: "quokka".to_owned(),
        url: "https://example.com/quokka".to_owned(),
    }];
    let hidden = add(
        &catalog.app,
        asset(AssetKind::Database, &["zymurgy"]),
        vec![plans],
    )
    .await;
    let said = Draft {
        content: Description {
            text: "The xanthan works pay for these orders.".to_owned(),
        },
        version: 0,
    };
    human::revise(
        &catalog.app.db,
        &Actor::operator(),
        hidden,
        said,
        Utc::now(),
    )
    .await
    .unwrap();
    let other = table(&["vexillum", "xanthan"], &[("quokka", "string")]);
    add(
        &catalog.app,
        at(ELSEWHERE, asset(AssetKind::Database, &["vexillum"])),
        vec![at(ELSEWHERE, other)],
    )
    .await;
    hidden
}

async fn index(catalog: &TestCatalog) {
    follow::catch_up(&catalog.app.db, &catalog.app.index)
        .await
        .unwrap();
}

async fn account(catalog: &TestCatalog, name: &str, standing: RoleGrant) -> Account {
    let new = NewAccount {
        kind: AccountKind::Service,
        name: name.parse().unwrap(),
        display_name: None,
        standing,
    };
    accounts::create(&catalog.app.db, &Actor::operator(), &new, Utc::now())
        .await
        .unwrap()
}

async fn team(catalog: &TestCatalog, name: &str, members: &[&Account]) -> Team {
    let db = &catalog.app.db;
    let operator = Actor::operator();
    let team = teams::create(db, &operator, &name.parse().unwrap(), Utc::now())
        .await
        .unwrap();
    for member in members {
        teams::add_member(db, &operator, (team.id, member.id), Utc::now())
            .await
            .unwrap();
    }
    team
}

/// Who acts with a token of this account.
async fn actor(catalog: &TestCatalog, account: &Account) -> Actor {
    let new = NewToken {
        name: "test",
        scopes: BTreeSet::from([TokenScope::Read]),
        days: 1,
    };
    let db = &catalog.app.db;
    let made = tokens::make(db, &Actor::operator(), account.id, &new, Utc::now())
        .await
        .unwrap();
    tokens::find_actor(db, made.secret.expose_secret(), Utc::now())
        .await
        .unwrap()
        .unwrap()
}

fn database(id: AssetId) -> Scope {
    Scope::Database {
        platform: "glue".to_owned(),
        instance: INSTANCE.to_owned(),
        database: id.0,
    }
}

fn source(instance: &str) -> Scope {
    Scope::Source {
        platform: "glue".to_owned(),
        instance: instance.to_owned(),
    }
}

async fn restrict(catalog: &TestCatalog, scope: &Scope, admitted: &[Principal]) {
    let admitted: Admitted = admitted.iter().copied().collect();
    let db = &catalog.app.db;
    scopes::restrict(db, &Actor::operator(), scope, &admitted, Utc::now())
        .await
        .unwrap();
}

/// Everybody that sees differently: an outsider, somebody admitted, a member of an admitted team, an admin.
struct People {
    outsider: Actor,
    admitted: Actor,
    member: Actor,
    admin: Actor,
    principals: [Principal; 2],
}

impl People {
    async fn meet(catalog: &TestCatalog) -> Self {
        let outsider = account(catalog, "olga", RoleGrant::STEWARD).await;
        let admitted = account(catalog, "ann", RoleGrant::READER).await;
        let member = account(catalog, "mia", RoleGrant::READER).await;
        let admin = account(catalog, "root", RoleGrant::ADMIN).await;
        let within = team(catalog, "insiders", &[&member]).await;
        team(catalog, "outsiders", &[&outsider]).await;
        Self {
            principals: [Principal::Account(admitted.id), Principal::Team(within.id)],
            outsider: actor(catalog, &outsider).await,
            admitted: actor(catalog, &admitted).await,
            member: actor(catalog, &member).await,
            admin: actor(catalog, &admin).await,
        }
    }
}

async fn search(catalog: &TestCatalog, visibility: &Visibility, query: &Query) -> Answer {
    let app = &catalog.app;
    let access_filter = app.index.access_filter(&app.db, visibility).await.unwrap();
    app.index.search(query, &access_filter).unwrap()
}

/// Every answer of the catalog and of the index to somebody, in words, without ids, times and what the index took.
async fn glimpse(catalog: &TestCatalog, visibility: &Visibility) -> Vec<String> {
    let db = &catalog.app.db;
    let page = PageRequest::first(100);
    let mut seen = vec![format!(
        "{:?}",
        catalog::list_instances(db, visibility).await.unwrap()
    )];
    let gone = Children {
        gone: true,
        ..Children::default()
    };
    let databases = catalog::list_children(db, visibility, &gone, &page)
        .await
        .unwrap();
    seen.push(format!(
        "{} databases, more: {}",
        databases.items.len(),
        databases.next.is_some()
    ));
    for database in databases.items {
        let inside = Children {
            parent: Some(database.id),
            ..gone
        };
        seen.push(database.address.path.join("."));
        let counts = catalog::count_inside(db, visibility, &[database.id])
            .await
            .unwrap();
        seen.push(format!("{:?}", counts.values().collect::<Vec<_>>()));
        for child in catalog::list_children(db, visibility, &inside, &page)
            .await
            .unwrap()
            .items
        {
            let asset = catalog::find_asset(db, visibility, child.id).await.unwrap();
            seen.push(format!(
                "{:?} {:?} {:?}",
                asset.address, asset.source, asset.facts
            ));
            seen.push(format!(
                "{:?}",
                catalog::list_aliases(db, visibility, child.id)
                    .await
                    .unwrap()
            ));
            let history = catalog::list_history(db, visibility, child.id, &page)
                .await
                .unwrap();
            seen.extend(
                history
                    .items
                    .iter()
                    .map(|change| format!("{:?}", change.action)),
            );
        }
    }
    let changes = catalog::list_recent_changes(db, visibility, &page)
        .await
        .unwrap();
    seen.push(format!(
        "{} changes, more: {}",
        changes.items.len(),
        changes.next.is_some()
    ));
    for words in [
        "",
        "orders",
        "customer_id",
        "customer",
        "zymurgy",
        "zymurgi",
        "quokk",
        "qu",
        "vexillum_id",
        "xantan",
        "\"xanthan works\"",
        "column:vexillum_id",
        "database:zymurgy",
        "db:zym orders",
        "name:quokka",
        "z",
        "999999999999",
        "zymurgy.quokka_orders",
        "customerid",
        "costumer",
    ] {
        for database in [None, Some("zymurgy"), Some("nowhere")] {
            let choices = Choices::default();
            let query = Query {
                choices: match database {
                    Some(database) => choices.with(FacetField::Database, database),
                    None => choices,
                },
                include_gone: true,
                ..Query::words(words)
            };
            seen.extend(told(catalog, visibility, &query).await);
        }
        let access_filter = catalog
            .app
            .index
            .access_filter(db, visibility)
            .await
            .unwrap();
        let hits = catalog.app.index.suggest(words, 8, &access_filter).unwrap();
        seen.push(format!(
            "suggests {:?}",
            names(
                catalog,
                &hits
                    .iter()
                    .filter_map(|hit| AssetId::of(hit.subject))
                    .collect::<Vec<_>>()
            )
            .await
        ));
        seen.extend(hits.iter().map(|hit| format!("{:?}", hit.matched)));
    }
    seen
}

/// An answer of the index; what was typed and is only repeated is replaced by dots.
async fn told(catalog: &TestCatalog, visibility: &Visibility, query: &Query) -> Vec<String> {
    let answer = search(catalog, visibility, query).await;
    let ids: Vec<AssetId> = answer
        .hits
        .iter()
        .filter_map(|hit| AssetId::of(hit.subject))
        .collect();
    let mut told = vec![format!(
        "{} hits: {:?}",
        answer.total,
        names(catalog, &ids).await
    )];
    told.extend(answer.hits.iter().map(|hit| format!("{:?}", hit.matched)));
    told.extend(answer.facets.iter().map(|facet| format!("{facet:?}")));
    told.extend(
        answer
            .left_out
            .iter()
            .map(|left| format!("nearest: {:?}", left.nearest)),
    );
    told.extend(
        answer
            .read_as
            .iter()
            .map(|read| format!("read as: {:?}", read.others)),
    );
    told
}

async fn names(catalog: &TestCatalog, ids: &[AssetId]) -> Vec<String> {
    let found = catalog::find_assets(&catalog.app.db, &Visibility::Everything, ids)
        .await
        .unwrap();
    found
        .into_iter()
        .map(|asset| asset.address.path.join("."))
        .collect()
}

fn hidden_in(seen: &[String]) -> Vec<&String> {
    let is_hidden = |text: &&String| HIDDEN.iter().any(|word| text.contains(word));
    seen.iter().filter(is_hidden).collect()
}

#[tokio::test]
async fn what_is_restricted_is_as_if_it_were_not_there() {
    let catalog = TestCatalog::start().await;
    add_shop(&catalog).await;
    let hidden = add_hidden(&catalog).await;
    index(&catalog).await;
    let people = People::meet(&catalog).await;
    let everything = glimpse(&catalog, people.outsider.visibility()).await;
    assert!(!hidden_in(&everything).is_empty());

    restrict(&catalog, &database(hidden), &people.principals).await;
    restrict(&catalog, &source(ELSEWHERE), &people.principals).await;

    for (who, actor) in [
        ("the admitted", &people.admitted),
        ("the member", &people.member),
        ("the admin", &people.admin),
        ("the operator", &Actor::operator()),
    ] {
        assert_eq!(
            glimpse(&catalog, actor.visibility()).await,
            everything,
            "{who}"
        );
    }
    let twin = TestCatalog::start().await;
    add_shop(&twin).await;
    index(&twin).await;
    let never_there = glimpse(&twin, &Visibility::Everything).await;
    for (who, actor) in [
        ("the outsider", &people.outsider),
        ("a visitor", &Actor::visitor(true)),
    ] {
        let seen = glimpse(&catalog, actor.visibility()).await;
        assert_eq!(hidden_in(&seen), Vec::<&String>::new(), "{who}");
        assert_eq!(seen, never_there, "{who}");
    }

    let operator = Actor::operator();
    let db = &catalog.app.db;
    for scope in [database(hidden), source(ELSEWHERE)] {
        scopes::open(db, &operator, &scope, Utc::now())
            .await
            .unwrap();
    }
    assert_eq!(
        glimpse(&catalog, people.outsider.visibility()).await,
        everything
    );
}

#[tokio::test]
async fn the_sources_and_the_databases_restriction_both_have_to_admit() {
    let catalog = TestCatalog::start().await;
    let shop = add_shop(&catalog).await;
    let people = People::meet(&catalog).await;
    let [ann, insiders] = people.principals;
    let sees = async |actor: &Actor| {
        catalog::find_asset(&catalog.app.db, actor.visibility(), shop)
            .await
            .is_ok()
    };

    restrict(&catalog, &database(shop), &[ann]).await;
    assert!(sees(&people.admitted).await);
    assert!(!sees(&people.member).await);
    restrict(&catalog, &source(INSTANCE), &[insiders]).await;
    assert!(!sees(&people.admitted).await);
    assert!(!sees(&people.member).await);
    assert!(sees(&people.admin).await);
    restrict(&catalog, &source(INSTANCE), &[insiders, ann]).await;
    assert!(sees(&people.admitted).await);
    assert!(!sees(&people.member).await);
    restrict(&catalog, &database(shop), &[]).await;
    assert!(!sees(&people.admitted).await);
    assert!(sees(&people.admin).await);
}

#[tokio::test]
async fn only_an_admin_restricts_and_each_change_is_on_record() {
    let catalog = TestCatalog::start().await;
    let shop = add_shop(&catalog).await;
    let people = People::meet(&catalog).await;
    let db = &catalog.app.db;
    let scope = database(shop);
    let nobody = Admitted::new();
    for actor in [&people.outsider, &people.admitted, &Actor::visitor(true)] {
        let refused = scopes::restrict(db, actor, &scope, &nobody, Utc::now()).await;
        assert!(matches!(
            refused.unwrap_err().kind(),
            Kind::Forbidden | Kind::Unauthenticated
        ));
        let refused = scopes::open(db, actor, &scope, Utc::now()).await;
        assert!(matches!(
            refused.unwrap_err().kind(),
            Kind::Forbidden | Kind::Unauthenticated
        ));
    }
    let head = catalog.head().await;
    let operator = Actor::operator();
    let [ann, insiders] = people.principals;
    let now = Utc::now();
    let admitted = Admitted::from([ann, insiders]);
    scopes::restrict(db, &operator, &scope, &nobody, now)
        .await
        .unwrap();
    scopes::restrict(db, &operator, &scope, &admitted, now)
        .await
        .unwrap();
    scopes::restrict(db, &operator, &scope, &admitted, now)
        .await
        .unwrap();
    assert_eq!(
        scopes::find_restriction(db, &scope).await.unwrap(),
        Some(admitted.clone())
    );
    let listed = scopes::list_restricted(db, &operator, &PageRequest::first(10))
        .await
        .unwrap();
    assert_eq!(listed.items.len(), 1);
    assert_eq!(listed.items[0].admitted, admitted);
    scopes::open(db, &operator, &scope, now).await.unwrap();
    scopes::open(db, &operator, &scope, now).await.unwrap();
    assert_eq!(scopes::find_restriction(db, &scope).await.unwrap(), None);
    assert_eq!(catalog.head().await, head + 3);
    assert_eq!(scopes::version(db).await.unwrap(), 3);

    let stranger = Admitted::from([Principal::Team(gazetteer::auth::TeamId(Uuid::now_v7()))]);
    let refused = scopes::restrict(db, &operator, &scope, &stranger, now)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    let refused = scopes::restrict(
        db,
        &operator,
        &database(AssetId(Uuid::now_v7())),
        &nobody,
        now,
    )
    .await;
    assert_eq!(refused.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(catalog.head().await, head + 3);

    let sentence = Event::AdmissionChanged {
        scope: source(INSTANCE),
        before: vec![],
        after: vec!["“ann”".to_owned(), "the team “insiders”".to_owned()],
    }
    .sentence();
    assert_eq!(
        sentence,
        format!(
            "Restricted the source glue {INSTANCE} to “ann” and the team “insiders”; it was restricted to admins."
        )
    );
}

#[tokio::test]
async fn restricted_scopes_are_listed_page_by_page() {
    let catalog = TestCatalog::start().await;
    for instance in ["c", "a", "b", "e", "d"] {
        restrict(&catalog, &source(instance), &[]).await;
    }
    let operator = Actor::operator();
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let request = PageRequest::new(after, 2);
        let page = scopes::list_restricted(&catalog.app.db, &operator, &request)
            .await
            .unwrap();
        all.extend(page.items.into_iter().map(|one| one.scope));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(all, ["a", "b", "c", "d", "e"].map(source));
}

/// Which of the people are admitted to what: sources, then databases; `None` where it is open.
type Doors = (Vec<Option<BTreeSet<usize>>>, Vec<Option<BTreeSet<usize>>>);

/// Two sources with three databases of two tables each, and three people, the last in two teams.
#[test]
fn whatever_is_restricted_everybody_sees_exactly_what_admits_them() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (catalog, databases, principals) = runtime.block_on(async {
        let catalog = TestCatalog::start().await;
        let mut databases = Vec::new();
        for nth in 0..6 {
            let (instance, name) = (["one", "two"][nth / 3], format!("db{nth}"));
            let tables = ["first", "second"].map(|of| {
                at(
                    instance,
                    table(
                        &[&name, of],
                        &[("id", "int"), (&format!("only{nth}"), "int")],
                    ),
                )
            });
            let id = add(
                &catalog.app,
                at(instance, asset(AssetKind::Database, &[&name])),
                tables.into(),
            )
            .await;
            databases.push((instance, id));
        }
        index(&catalog).await;
        let ann = account(&catalog, "ann", RoleGrant::READER).await;
        let bob = account(&catalog, "bob", RoleGrant::STEWARD).await;
        let mia = account(&catalog, "mia", RoleGrant::READER).await;
        let red = team(&catalog, "red", &[&mia]).await;
        let blue = team(&catalog, "blue", &[&mia, &bob]).await;
        let principals = [
            Principal::Account(ann.id),
            Principal::Account(bob.id),
            Principal::Team(red.id),
            Principal::Team(blue.id),
        ];
        (catalog, databases, principals)
    });
    // By person, the numbers of the principals that stand for them.
    let people: [&[usize]; 4] = [&[0], &[1, 3], &[2, 3], &[]];
    let admits = || proptest::option::of(proptest::collection::btree_set(0..4_usize, 0..3));
    let doors = (
        proptest::collection::vec(admits(), 2),
        proptest::collection::vec(admits(), 6),
    );
    let config = Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&doors, |doors| {
            runtime.block_on(check(&catalog, &databases, &principals, &people, &doors));
            Ok(())
        })
        .unwrap();
}

async fn check(
    catalog: &TestCatalog,
    databases: &[(&str, AssetId)],
    principals: &[Principal],
    people: &[&[usize]],
    (sources, inner): &Doors,
) {
    let (db, operator) = (&catalog.app.db, Actor::operator());
    let scope_of = |nth: usize| Scope::Database {
        platform: "glue".to_owned(),
        instance: databases[nth].0.to_owned(),
        database: databases[nth].1.0,
    };
    let outer = ["one", "two"].map(source).into_iter().zip(sources);
    for (scope, door) in outer.chain((0..6).map(scope_of).zip(inner)) {
        match door {
            Some(admitted) => {
                let admitted = admitted.iter().map(|nth| principals[*nth]).collect();
                scopes::restrict(db, &operator, &scope, &admitted, Utc::now())
                    .await
                    .unwrap();
            }
            None => scopes::open(db, &operator, &scope, Utc::now())
                .await
                .unwrap(),
        }
    }
    for who in people {
        let visibility = sight_of(principals, who);
        let lets_in = |door: &Option<BTreeSet<usize>>| {
            door.as_ref()
                .is_none_or(|door| who.iter().any(|one| door.contains(one)))
        };
        let open: BTreeSet<usize> = (0..6)
            .filter(|nth| lets_in(&sources[nth / 3]) && lets_in(&inner[*nth]))
            .collect();
        let answer = search(
            catalog,
            &visibility,
            &Query {
                limit: 100,
                ..Query::default()
            },
        )
        .await;
        assert_eq!(answer.total, 3 * open.len() as u64, "{who:?}");
        let facet = |field| {
            let facet = answer
                .facets
                .iter()
                .find(|facet| facet.field == field)
                .unwrap();
            facet
                .values
                .iter()
                .map(|value| (value.value.clone(), value.count))
                .collect::<BTreeMap<_, _>>()
        };
        let expected: BTreeMap<_, _> = open.iter().map(|nth| (format!("db{nth}"), 3)).collect();
        assert_eq!(facet(FacetField::Database), expected);
        let listed = catalog::list_children(
            db,
            &visibility,
            &Children::default(),
            &PageRequest::first(10),
        )
        .await
        .unwrap();
        let listed: BTreeSet<String> = listed
            .items
            .iter()
            .map(|one| one.address.name().to_owned())
            .collect();
        assert_eq!(listed, expected.keys().cloned().collect());
        let instances: u64 = catalog::list_instances(db, &visibility)
            .await
            .unwrap()
            .iter()
            .map(|one| one.databases)
            .sum();
        assert_eq!(instances, open.len() as u64);
        let changes = catalog::list_recent_changes(db, &visibility, &PageRequest::first(100))
            .await
            .unwrap();
        assert_eq!(changes.items.len(), 3 * open.len());
        for (nth, (instance, _)) in databases.iter().enumerate() {
            let address = Address {
                instance: (*instance).to_owned(),
                ..crate::support::app::address(&[&format!("db{nth}"), "first"])
            };
            let found = catalog::find_at(db, &visibility, &[&address])
                .await
                .unwrap();
            assert_eq!(!found.is_empty(), open.contains(&nth), "{nth} {who:?}");
            let word = search(catalog, &visibility, &Query::words(format!("only{nth}"))).await;
            assert_eq!(
                word.hits
                    .iter()
                    .any(|hit| format!("{:?}", hit.matched).contains(&format!("only{nth}"))),
                open.contains(&nth)
            );
            let told = format!(
                "{:?} {:?} {:?}",
                word.read_as
                    .iter()
                    .map(|one| &one.others)
                    .collect::<Vec<_>>(),
                word.left_out
                    .iter()
                    .map(|one| &one.nearest)
                    .collect::<Vec<_>>(),
                word.facets
            );
            for other in (0..6).filter(|other| !open.contains(other)) {
                assert!(
                    !told.contains(&format!("only{other}"))
                        && !told.contains(&format!("db{other}")),
                    "{told}"
                );
            }
        }
    }
}

fn sight_of(principals: &[Principal], who: &[usize]) -> Visibility {
    let mut visibility = (None, Vec::new());
    for nth in who {
        match principals[*nth] {
            Principal::Account(id) => visibility.0 = Some(id),
            Principal::Team(id) => visibility.1.push(id),
        }
    }
    let (account, teams) = visibility;
    Visibility::As { account, teams }
}

/// Headers that differ from one answer to the next.
const UNEQUAL: [&str; 4] = ["date", "content-length", "x-request-id", "etag"];

/// The application with a catalog of which a part may be hidden, and what reads it.
struct House {
    app: TestApp,
    endpoint: Endpoint,
    outsider: Browser,
    insiders: Vec<Browser>,
    /// Ids by the names in the addresses below.
    ids: BTreeMap<&'static str, Uuid>,
}

impl House {
    /// Reads `shop`, and with it what is to be hidden, twice; the second time the latter cannot be read.
    async fn build(with_hidden: bool) -> Self {
        let mut world = World::new();
        let columns = json!({"Columns": [{"Name": "customer_id", "Type": "bigint"}]});
        for name in ["orders", "customers"] {
            world.set_table("shop", &json!({"Name": name, "StorageDescriptor": columns}));
        }
        if with_hidden {
            let columns = json!({"Columns": [{"Name": "vexillum_id", "Type": "bigint"}]});
            let plans = json!({"Name": "quokka_orders", "Description": "xanthan orders", "StorageDescriptor": columns});
            world.set_table("zymurgy", &plans);
        }
        let endpoint = Endpoint::start(world).await.unwrap();
        let app = TestApp::start().await;
        let recipe = format!(
            "source:\n  type: glue\n  config:\n    aws_region: eu-central-1\n    aws_access_key_id: test\n    \
             aws_secret_access_key: test\n    aws_endpoint_url: {}\n",
            endpoint.url()
        );
        app.write_recipe("world", &recipe);
        let first = app.run("world").await;
        endpoint.change(|world| world.set_unreadable("zymurgy", true));
        let second = app.run("world").await;
        let mut ids = BTreeMap::from([("{first}", first.id), ("{second}", second.id)]);
        let mut all = Vec::new();
        if with_hidden {
            assert_eq!(second.state, RunState::Partial);
            all = all_assets(&app.app.db).await;
            let other = at(
                ELSEWHERE,
                table(&["vexillum", "xanthan"], &[("quokka", "string")]),
            );
            let database = at(ELSEWHERE, asset(AssetKind::Database, &["vexillum"]));
            ids.insert("{elsewhere}", add(&app.app, database, vec![other]).await.0);
        }
        for (key, path) in [
            ("{shop}", ["shop"].as_slice()),
            ("{orders}", &["shop", "orders"]),
            ("{zymurgy}", &["zymurgy"]),
            ("{plans}", &["zymurgy", "quokka_orders"]),
        ] {
            all.extend(all_assets(&app.app.db).await);
            let found = all.iter().find(|asset| asset.address.path == path);
            // What is not there has an id that nothing has.
            ids.insert(key, found.map_or_else(Uuid::now_v7, |asset| asset.id.0));
        }
        ids.entry("{elsewhere}").or_insert_with(Uuid::now_v7);
        app.until_indexed().await;
        let outsider = app.person("olga", Role::Steward, &["outsiders"]).await;
        let insiders = vec![
            app.person("ann", Role::Reader, &[]).await,
            app.person("mia", Role::Reader, &["insiders"]).await,
            app.person("admin", Role::Admin, &[]).await,
        ];
        let (db, operator) = (&app.app.db, Actor::operator());
        let ann = "ann".parse().unwrap();
        let ann = accounts::find_named(db, &operator, &ann).await.unwrap();
        ids.insert("{ann}", ann.id.0);
        let teams = teams::list(db, &operator, &PageRequest::first(10)).await;
        let teams = teams.unwrap().items;
        let team = teams.iter().find(|team| team.name == "insiders").unwrap();
        ids.insert("{insiders}", team.id.0);
        Self {
            app,
            endpoint,
            outsider,
            insiders,
            ids,
        }
    }

    /// An address or a value, from a pattern in which ids have names.
    fn with_ids(&self, pattern: &str) -> String {
        let ids = self.ids.iter();
        ids.fold(pattern.to_owned(), |text, (key, id)| {
            text.replace(key, &id.to_string())
        })
    }

    async fn ask(&self, who: &Browser, pattern: &str) -> String {
        let answer = who.get(&self.with_ids(pattern)).await;
        let told: BTreeSet<String> = answer
            .headers
            .iter()
            .filter(|(name, _)| !UNEQUAL.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value:?}\n"))
            .collect();
        let told = told.into_iter().collect::<String>();
        format!("{}\n{told}{}", answer.status, answer.text)
    }

    /// Sends the form of the page of a database's or a source's restriction, as the admin.
    async fn send(&self, pattern: &str, form: &[(&str, &str)]) -> Response {
        let form: Vec<(&str, String)> = form
            .iter()
            .map(|(name, value)| (*name, self.with_ids(value)))
            .collect();
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.insiders[2].post(&self.with_ids(pattern), &form).await
    }
}

/// Where it is said who sees what is to be hidden.
const LOCKS: [&str; 2] = [
    "/assets/{zymurgy}/restriction",
    "/browse/glue/999999999999%2Fus-east-1/restriction",
];

/// What differs from one catalog to the next: ids, times, ports, how long something took.
fn masked(told: &str) -> String {
    let masks = [
        ("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}", "ID"),
        (r"\d{4}-\d\d-\d\d[T ][\d:.]+( UTC|Z)", "TIME"),
        (r"\d+ (second|minute)s? ago|just now|in a moment", "AGO"),
        (r"127\.0\.0\.1:\d+", "PORT"),
        (r"[\d.]+ (ms|s)\b", "TOOK"),
        (r#""(took_ms|milliseconds|calls)": ?[\d.e-]+"#, "NUMBER"),
        // What a run asked of the source cannot be told in part.
        (r"<div><dt>Calls</dt><dd><bdi>\d+</bdi></dd></div>", ""),
        (r#"after=[\w-]+|"next":"[\w-]+""#, "AFTER"),
        (r#"nonce="[^"]*"|nonce-[\w+/=-]+"#, "NONCE"),
    ];
    masks.iter().fold(told.to_owned(), |text, (pattern, mask)| {
        let pattern = Regex::new(pattern).unwrap();
        pattern.replace_all(&text, *mask).into_owned()
    })
}

/// Every address that tells something, by the route that answers there.
const DOORS: &[(&str, &[&str])] = &[
    ("/", &["/"]),
    (
        "/search",
        &[
            "/search?q=orders",
            "/search",
            "/search?q=quokka",
            "/search?q=zymurgy",
            "/search?q=orders&database=zymurgy",
            "/search?q=xantan",
            "/search?q=%22xanthan%20orders%22",
            "/search?q=column:vexillum_id",
            "/search?platform=glue",
            "/search?limit=1&offset=1&gone=1",
        ],
    ),
    (
        "/search/suggest",
        &[
            "/search/suggest?q=zym",
            "/search/suggest?q=q",
            "/search/suggest?q=orders",
            "/search/suggest?q=vex",
            "/search/suggest?q=database:z",
            "/search/suggest?q=database:",
            "/search/suggest?q=owner:",
            "/search/suggest?q=tag:",
            "/search/suggest?q=column:vex",
        ],
    ),
    (
        "/palette",
        &[
            "/palette",
            "/palette?q=zym",
            "/palette?q=orders",
            "/palette?here=/assets/{plans}",
            "/palette?here=/assets/{orders}",
        ],
    ),
    (
        "/assets/{id}/preview",
        &[
            "/assets/{shop}/preview",
            "/assets/{orders}/preview",
            "/assets/{zymurgy}/preview",
            "/assets/{plans}/preview",
        ],
    ),
    ("/requests", &["/requests"]),
    ("/palette", &["/palette?q=orders", "/palette?q=quokka"]),
    (
        "/assets/{id}/preview",
        &["/assets/{orders}/preview", "/assets/{zymurgy}/preview"],
    ),
    (
        "/pick/assets",
        &[
            "/pick/assets?q=quokka",
            "/pick/assets?q=orders",
            "/pick/assets?q=orders&near={plans}",
        ],
    ),
    ("/pick/tags", &["/pick/tags", "/pick/tags?q=q"]),
    (
        "/pick/databases",
        &["/pick/databases", "/pick/databases?q=zymurgy"],
    ),
    ("/api/v1/requests", &["/api/v1/requests"]),
    ("/browse", &["/browse"]),
    (
        "/browse/{platform}/{instance}",
        &[
            "/browse/glue/111122223333%2Feu-central-1",
            "/browse/glue/111122223333%2Feu-central-1?name=z&gone=1",
            "/browse/glue/999999999999%2Fus-east-1",
        ],
    ),
    (
        "/assets/{id}",
        &[
            "/assets/{shop}",
            "/assets/{orders}",
            "/assets/{zymurgy}",
            "/assets/{plans}",
            "/assets/{elsewhere}",
        ],
    ),
    (
        "/assets/{id}/history",
        &[
            "/assets/{orders}/history",
            "/assets/{plans}/history",
            "/assets/{elsewhere}/history",
        ],
    ),
    (
        "/assets/{id}/history/{number}",
        &[
            "/assets/{orders}/history/1",
            "/assets/{plans}/history/1",
            "/assets/{elsewhere}/history/1",
        ],
    ),
    (
        "/assets/{id}/columns",
        &["/assets/{orders}/columns", "/assets/{plans}/columns"],
    ),
    (
        "/assets/{id}/columns/{column}",
        &[
            "/assets/{orders}/columns/id",
            "/assets/{orders}/columns/customer_id",
            "/assets/{plans}/columns/vexillum_id",
        ],
    ),
    (
        "/changes",
        &[
            "/changes",
            "/changes?kind=new",
            "/changes?database={zymurgy}",
            "/changes?database=zymurgy",
        ],
    ),
    (
        "/changes/{id}",
        &[
            "/changes/{first}",
            "/changes/{second}",
            "/changes/{first}?kind=new",
        ],
    ),
    (
        "/api/v1/changes",
        &["/api/v1/changes", "/api/v1/changes?limit=1"],
    ),
    (
        "/api/v1/changes/{id}",
        &[
            "/api/v1/changes/{first}",
            "/api/v1/changes/{second}?limit=1",
        ],
    ),
    ("/changes.atom", &["/changes.atom"]),
    ("/ingestion", &["/ingestion"]),
    ("/ingestion/recipes/{name}", &["/ingestion/recipes/world"]),
    ("/ingestion/runs", &["/ingestion/runs"]),
    (
        "/ingestion/runs/{id}",
        &["/ingestion/runs/{first}", "/ingestion/runs/{second}"],
    ),
    (
        "/api/v1/search",
        &[
            "/api/v1/search",
            "/api/v1/search?q=quokka",
            "/api/v1/search?q=orders",
            "/api/v1/search?q=zymurgi",
            "/api/v1/search?database=zymurgy",
            "/api/v1/search?database=vexillum&q=xanthan",
            "/api/v1/search?q=customer_id&limit=1",
        ],
    ),
    (
        "/api/v1/assets",
        &[
            "/api/v1/assets",
            "/api/v1/assets?name=z",
            "/api/v1/assets?parent={zymurgy}",
            "/api/v1/assets?parent={shop}&limit=1",
        ],
    ),
    (
        "/api/v1/assets/{id}",
        &[
            "/api/v1/assets/{orders}",
            "/api/v1/assets/{plans}",
            "/api/v1/assets/{zymurgy}",
        ],
    ),
    (
        "/api/v1/assets/{id}/history",
        &[
            "/api/v1/assets/{orders}/history",
            "/api/v1/assets/{plans}/history",
        ],
    ),
    (
        "/api/v1/assets/{id}/history/{number}",
        &[
            "/api/v1/assets/{orders}/history/1",
            "/api/v1/assets/{plans}/history/1",
        ],
    ),
    (
        "/api/v1/databases",
        &["/api/v1/databases", "/api/v1/databases?limit=1&gone=1"],
    ),
    ("/api/v1/recipes", &["/api/v1/recipes"]),
    (
        "/api/v1/runs",
        &["/api/v1/runs", "/api/v1/runs?recipe=world&limit=1"],
    ),
    (
        "/api/v1/runs/{id}",
        &["/api/v1/runs/{first}", "/api/v1/runs/{second}"],
    ),
    (
        "/api/v1/runs/{id}/findings",
        &[
            "/api/v1/runs/{first}/findings",
            "/api/v1/runs/{second}/findings?limit=1",
        ],
    ),
    (
        "/api/v1/runs/{id}/databases",
        &[
            "/api/v1/runs/{first}/databases",
            "/api/v1/runs/{second}/databases?limit=1",
        ],
    ),
    // For admins alone.
    ("/restricted", &["/restricted"]),
    (
        "/assets/{id}/restriction",
        &[
            "/assets/{zymurgy}/restriction",
            "/assets/{shop}/restriction",
        ],
    ),
    (
        "/browse/{platform}/{instance}/restriction",
        &["/browse/glue/999999999999%2Fus-east-1/restriction"],
    ),
    ("/profile", &["/profile"]),
    ("/profile/tokens", &["/profile/tokens"]),
    ("/people", &["/people"]),
    ("/teams", &["/teams"]),
    ("/audit", &["/audit"]),
    ("/audit/export.csv", &["/audit/export.csv"]),
    ("/audit/export.jsonl", &["/audit/export.jsonl"]),
    ("/api/v1/audit", &["/api/v1/audit"]),
    // For stewards of what they are about.
    (
        "/assets/{id}/edit/{aspect}",
        &[
            "/assets/{zymurgy}/edit/description",
            "/assets/{shop}/edit/owners",
        ],
    ),
    (
        "/assets/{id}/columns/{column}/edit",
        &["/assets/{zymurgy}/columns/id/edit"],
    ),
];

/// Routes that tell nothing of what is in the catalog.
const WALLS: &[&str] = &[
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/profile/link",
    "/profile/tokens",
    // Tells what people typed, which they want stewards to read.
    "/requests/searches",
    "/api/v1/searches",
    // Tells who people are.
    "/pick/owners",
    // For admins alone, who see everything.
    "/people/{id}",
    "/teams/{id}",
    "/pick/scopes",
    "/sign-in-check",
    "/set-up",
    "/choose-password",
    "/api/openapi.json",
    "/metrics",
    "/healthz",
    "/readyz",
    "/static/{path:.*}",
];

#[test]
fn every_route_that_tells_something_is_a_door() {
    let doors: BTreeSet<&str> = DOORS
        .iter()
        .map(|(route, _)| *route)
        .chain(WALLS.iter().copied())
        .collect();
    let missing: Vec<&str> = routes::all()
        .iter()
        .filter(|site| site.method.as_str() == "GET" && !doors.contains(site.pattern))
        .map(|site| site.pattern)
        .collect();
    assert_eq!(
        missing,
        Vec::<&str>::new(),
        "add an address of each to DOORS, or say in WALLS that it tells nothing"
    );
}

/// The hidden words in an answer, other than those that were asked for and are only repeated.
fn hidden_words(pattern: &str, told: &str) -> Vec<&'static str> {
    let (told, asked) = (told.to_lowercase(), pattern.to_lowercase());
    let told = HIDDEN.into_iter().filter(|word| told.contains(word));
    let beginning = |word: &str| word.chars().take(3).collect::<String>();
    told.filter(|word| !asked.contains(&beginning(word)))
        .collect()
}

#[tokio::test]
async fn no_door_shows_an_outsider_what_is_restricted() {
    let house = House::build(true).await;
    let twin = House::build(false).await;
    let patterns: Vec<&str> = DOORS
        .iter()
        .flat_map(|(_, patterns)| *patterns)
        .copied()
        .collect();
    let mut before = Vec::new();
    for pattern in &patterns {
        let mut told = Vec::new();
        for who in house.insiders.iter().chain([&house.outsider]) {
            told.push(hidden_words(pattern, &house.ask(who, pattern).await));
        }
        before.push(told);
    }
    let telling = before.iter().filter(|told| !told[3].is_empty()).count();
    assert!(telling > 20, "the doors tell hardly anything: {telling}");

    for lock in LOCKS {
        let form = [
            ("admit", "account:{ann}"),
            ("admit", "team:{insiders}"),
            ("do", "restrict"),
        ];
        let answer = house.send(lock, &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let saved = format!("{}?saved=1", house.with_ids(lock));
        assert_eq!(answer.header("location"), saved);
    }
    for (pattern, before) in patterns.iter().zip(&before) {
        for (who, before) in house.insiders.iter().zip(before) {
            let told = hidden_words(pattern, &house.ask(who, pattern).await);
            // These tell of the restriction itself.
            if !pattern.contains("restrict") && !pattern.contains("audit") {
                assert_eq!(&told, before, "{pattern}");
            }
        }
        let told = house.ask(&house.outsider, pattern).await;
        let none = Vec::<&str>::new();
        assert_eq!(hidden_words(pattern, &told), none, "{pattern}: {told}");
        let never_there = masked(&twin.ask(&twin.outsider, pattern).await);
        let told = masked(&told);
        for (line, other) in told.lines().zip(never_there.lines()) {
            assert_eq!(line, other, "{pattern}");
        }
        assert_eq!(told, never_there, "{pattern}");
        let nobody = house.ask(&house.app.visitor(), pattern).await;
        assert!(!nobody.starts_with("200"), "{pattern}: {nobody}");
    }
    drop((house.endpoint, twin.endpoint));
}

#[tokio::test]
async fn an_admin_restricts_and_opens_a_database_on_its_page() {
    let house = House::build(true).await;
    let [lock, source] = LOCKS;
    let page = async |pattern: &str| house.app.page(&house.with_ids(pattern)).await;
    let database = page("/assets/{zymurgy}").await;
    assert_eq!(texts(&database, "#restrict"), ["Restrict"]);
    assert_eq!(texts(&database, "#restricted"), Vec::<String>::new());
    let found = page(&format!("{lock}?find=insid")).await;
    assert_eq!(texts(&found, ".picker .check"), ["insiders team"]);
    assert_eq!(texts(&found, ".picker input[checked]").len(), 0);
    // Looking for somebody else keeps who is ticked.
    let kept = page(&format!("{lock}?find=insid&admit=account:{{ann}}")).await;
    assert_eq!(
        texts(&kept, ".picker .check"),
        ["ann person", "insiders team"]
    );
    assert_eq!(texts(&kept, ".picker input[checked]").len(), 1);

    let stranger = format!("team:{}", Uuid::now_v7());
    let form = [("find", ""), ("admit", &*stranger), ("do", "restrict")];
    let refused = house.send(lock, &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = [("admit", "ann"), ("do", "restrict")];
    let nonsense = house.send(lock, &form).await;
    assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
    let told = house.ask(&house.outsider, "/assets/{zymurgy}").await;
    assert!(told.starts_with("200"), "{told}");

    house
        .send(lock, &[("admit", "team:{insiders}"), ("do", "restrict")])
        .await;
    let database = page("/assets/{zymurgy}").await;
    assert_eq!(texts(&database, "#restricted"), ["Restricted"]);
    assert_eq!(texts(&database, "#restrict"), ["Change who sees it"]);
    let now = page(lock).await;
    assert_eq!(
        texts(&now, "#now"),
        ["Restricted Visible to 1 team and admins."]
    );
    let member = house.ask(&house.insiders[1], "/assets/{zymurgy}").await;
    assert!(member.contains("id=\"restricted\"") && !member.contains("id=\"restrict\""));
    house.send(source, &[("do", "restrict")]).await;
    let list = page("/restricted").await;
    assert_eq!(
        texts(&list, "#restricted-rows a.name"),
        ["zymurgy", "AWS Glue 999999999999/us-east-1"]
    );
    assert_eq!(
        texts(&list, "#restricted-rows td:nth-child(4)"),
        ["1 team and admins", "admins only"]
    );

    house.send(lock, &[("do", "open")]).await;
    let now = page(lock).await;
    assert_eq!(texts(&now, "#now"), ["Visible to everyone."]);
    let told = house.ask(&house.outsider, "/assets/{zymurgy}").await;
    assert!(told.starts_with("200"), "{told}");
    drop(house.endpoint);
}

#[tokio::test]
async fn a_link_to_what_is_hidden_is_text_alone() {
    let app = TestApp::start().await;
    let target = app
        .add(
            "zymurgy",
            vec![table(&["zymurgy", "quokka"], &[("id", "int")])],
        )
        .await;
    let mut link = table(&["shop", "mirror"], &[]);
    link.source.link = Some(LinkTarget {
        instance: None,
        path: vec!["zymurgy".to_owned(), "quokka".to_owned()],
    });
    app.add("shop", vec![link]).await;
    let id = app.id_of(&["shop", "mirror"]).await;
    let outsider = app.person("olga", Role::Steward, &[]).await;
    let path = format!("/assets/{id}");
    let shown = outsider.page(&path).await;
    assert_eq!(texts(&shown, "#target a"), ["zymurgy.quokka"]);

    let db = &app.app.db;
    let scope = database(target);
    scopes::restrict(db, &Actor::operator(), &scope, &Admitted::new(), Utc::now())
        .await
        .unwrap();
    let shown = outsider.page(&path).await;
    assert_eq!(texts(&shown, "#target bdi"), ["zymurgy.quokka"]);
    assert_eq!(texts(&shown, "#target a"), Vec::<String>::new());
    assert_eq!(
        texts(&app.page(&path).await, "#target a"),
        ["zymurgy.quokka"]
    );
}

#[tokio::test]
async fn a_hidden_replacement_is_told_to_nobody_and_kept_when_they_save() {
    let app = TestApp::start().await;
    let target = app
        .add(
            "zymurgy",
            vec![table(&["zymurgy", "quokka"], &[("id", "int")])],
        )
        .await;
    app.add("shop", vec![table(&["shop", "orders"], &[("id", "int")])])
        .await;
    let hidden = app.id_of(&["zymurgy", "quokka"]).await.to_string();
    let orders = app.id_of(&["shop", "orders"]).await;
    let olga = app.person("olga", Role::Steward, &[]).await;
    let put = async |browser: &Browser, body: serde_json::Value| {
        let path = format!("/api/v1/assets/{orders}/deprecation");
        Response::of(browser.request(reqwest::Method::PUT, &path).json(&body)).await
    };
    let said = json!({"since": "2026-11-01", "note": "Old.", "replacement": hidden, "version": 0});
    assert_eq!(put(app.admin(), said).await.status, StatusCode::OK);
    restrict_to_admins(&app, database(target)).await;

    let noted = json!({"since": "2026-11-01", "note": "Old and slow.", "version": 1});
    let saved = put(&olga, noted).await;
    let late = json!({"since": "2026-11-01", "note": "Odd.", "version": 1});
    let stale = put(&olga, late).await;

    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text);
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text);
    let mut told = vec![saved.text, stale.text];
    for path in [
        format!("/api/v1/assets/{orders}"),
        format!("/api/v1/assets/{orders}/history"),
        format!("/assets/{orders}"),
        format!("/assets/{orders}/edit/deprecation"),
    ] {
        assert!(app.get(&path).await.text.contains("Old"), "{path}");
        told.push(olga.get(&path).await.text);
    }
    for told in told {
        assert!(
            !told.contains(&hidden) && !told.contains("quokka"),
            "{told}"
        );
    }
    let whole = app.json(&format!("/api/v1/assets/{orders}")).await;
    assert_eq!(whole["human"]["deprecation"]["replacement"], hidden);
    assert_eq!(whole["human"]["deprecation"]["note"], "Old and slow.");
}

#[tokio::test]
async fn a_hidden_relation_is_told_to_nobody_and_kept_when_they_save() {
    let app = TestApp::start().await;
    let target = app
        .add(
            "zymurgy",
            vec![table(&["zymurgy", "quokka"], &[("id", "int")])],
        )
        .await;
    let shop = ["orders", "customers"].map(|name| table(&["shop", name], &[("id", "int")]));
    app.add("shop", shop.into()).await;
    let hidden = app.id_of(&["zymurgy", "quokka"]).await.to_string();
    let orders = app.id_of(&["shop", "orders"]).await;
    let customers = app.id_of(&["shop", "customers"]).await.to_string();
    let olga = app.person("olga", Role::Steward, &[]).await;
    let put = async |browser: &Browser, of: &str, body: serde_json::Value| {
        let path = format!("/api/v1/assets/{of}/related");
        Response::of(browser.request(reqwest::Method::PUT, &path).json(&body)).await
    };
    let relation = |target: &str| json!({"kind": "joins_with", "target": target});
    let of_orders = orders.to_string();
    let both = json!({"related": [relation(&hidden), relation(&customers)], "version": 0});
    let saved = put(app.admin(), &of_orders, both).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text);
    let back = json!({"related": [relation(&of_orders)], "version": 0});
    let saved = put(app.admin(), &hidden, back).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.text);
    restrict_to_admins(&app, database(target)).await;

    let emptied = put(&olga, &of_orders, json!({"related": [], "version": 1})).await;
    let guessed = json!({"related": [relation(&hidden)], "version": 2});
    let guessed = put(&olga, &of_orders, guessed).await;

    assert_eq!(emptied.status, StatusCode::OK, "{}", emptied.text);
    assert_eq!(guessed.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut told = vec![emptied.text];
    for path in [
        format!("/api/v1/assets/{orders}"),
        format!("/api/v1/assets/{orders}/history"),
        format!("/api/v1/assets/{orders}/history/2"),
        format!("/assets/{orders}"),
        format!("/assets/{orders}/history/2"),
        format!("/assets/{orders}/edit/related"),
        "/changes".to_owned(),
    ] {
        let answer = olga.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        told.push(answer.text);
    }
    for told in told {
        assert!(
            !told.contains(&hidden) && !told.contains("quokka"),
            "{told}"
        );
    }
    let whole = app.json(&format!("/api/v1/assets/{orders}")).await;
    let kept = &whole["human"]["related"]["related"];
    assert_eq!(kept.as_array().map(Vec::len), Some(1), "{kept}");
    assert_eq!(kept[0]["target"], hidden);
}

async fn restrict_to_admins(app: &TestApp, scope: Scope) {
    let (db, operator) = (&app.app.db, Actor::operator());
    scopes::restrict(db, &operator, &scope, &Admitted::new(), Utc::now())
        .await
        .unwrap();
}
