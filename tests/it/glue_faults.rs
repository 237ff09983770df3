//! What a reading of Glue reports when Glue, the network or the permissions let it down.

use std::time::Duration;

use gazetteer::catalog::{Address, Listing};
use gazetteer::sources::glue::{AssumeRole, Identity, Settings};
use gazetteer::sources::{Cost, Error, Finding, Pattern, Report, Skipped, Source};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::glue_server::{Call, GlueServer, Reply};

/// Everything that one reading reported.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) kept: Vec<gazetteer::catalog::Address>,
    pub(crate) opened: Vec<gazetteer::catalog::Discovered>,
    pub(crate) assets: Vec<gazetteer::catalog::Discovered>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) closed: Vec<(Address, Listing)>,
    pub(crate) databases: Option<Listing>,
    pub(crate) findings: Vec<Finding>,
}

impl Told {
    fn listing(&self, database: &str) -> &Listing {
        let of = |(address, _): &&(Address, Listing)| address.name() == database;
        &self.closed.iter().find(of).unwrap().1
    }

    /// Why the tables of a database were not listed to the end.
    pub(crate) fn reason(&self, database: &str) -> &str {
        match self.listing(database) {
            Listing::Incomplete(reason) => reason,
            Listing::Complete => panic!("the listing of {database} is complete"),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .assets
            .iter()
            .map(|asset| asset.address.path.join("."))
            .collect();
        names.sort();
        names
    }
}

pub(crate) fn settings(server: &GlueServer) -> Settings {
    Settings {
        region: Some("eu-central-1".to_owned()),
        identity: Identity::Keys {
            id: "AKIATESTKEY".into(),
            secret: "very-secret".into(),
            session_token: None,
        },
        endpoint_url: Some(server.url.clone()),
        first_pause: Duration::from_millis(1),
        ..Settings::default()
    }
}

pub(crate) async fn read(settings: Settings) -> (Told, Result<Cost, Error>) {
    let (sender, mut receiver) = mpsc::channel(2);
    let source = Source::Glue(settings);
    let reading = tokio::spawn(async move { source.discover(sender).await });
    let mut told = Told::default();
    while let Some(report) = receiver.recv().await {
        match report {
            Report::Opened(database) => {
                assert!(
                    told.databases.is_none(),
                    "a database came after the end of their list"
                );
                told.opened.push(*database);
            }
            Report::Page {
                assets,
                skipped,
                database,
            } => {
                assert!(!told.closed.iter().any(|(closed, _)| *closed == database));
                told.assets.extend(assets);
                told.skipped.extend(skipped);
            }
            Report::Kept(address) => told.kept.push(address),
            Report::Closed { database, listing } => told.closed.push((database, listing)),
            Report::Databases { listing } => {
                assert!(
                    told.databases.replace(listing).is_none(),
                    "the list ended twice"
                );
            }
            Report::Finding(finding) => told.findings.push(finding),
        }
    }
    (told, reading.await.unwrap())
}

fn databases(names: &[&str]) -> Vec<Value> {
    names
        .iter()
        .map(|name| json!({"Name": name, "CatalogId": "123456789012"}))
        .collect()
}

fn tables(database: &str, count: usize) -> Vec<Value> {
    let columns = json!([{"Name": "id", "Type": "bigint"}]);
    let table = |number| {
        json!({"Name": format!("t{number}"), "DatabaseName": database,
               "StorageDescriptor": {"Columns": columns}})
    };
    (0..count).map(table).collect()
}

/// Two databases of which the first, `bad`, answers by the script, and what came of reading both.
async fn read_with(
    script: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
) -> (Told, Cost) {
    let mut rows = tables("bad", 3);
    rows.extend(tables("good", 2));
    let server = GlueServer::scripted(databases(&["bad", "good"]), rows, script);
    let settings = Settings {
        page_size: 2,
        ..settings(&server)
    };
    let (told, cost) = read(settings).await;
    assert_eq!(told.databases, Some(Listing::Complete));
    assert_eq!(*told.listing("good"), Listing::Complete);
    (told, cost.unwrap())
}

/// A script that always fails the tables of `bad` this way, from the given page on.
fn failing(
    from_second_page: bool,
    reply: impl Fn() -> Reply + Send + Sync + 'static,
) -> impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static {
    move |call| {
        let is_meant = !from_second_page || call.body.get("NextToken").is_some();
        (call.is_tables_of("bad") && is_meant).then(&reply)
    }
}

#[tokio::test]
async fn a_denied_database_is_incomplete_and_names_the_permission_and_the_resource() {
    let denied = || Reply::Error(400, "AccessDeniedException", "User is not authorized.");

    let (told, cost) = read_with(failing(false, denied)).await;

    assert_eq!(
        told.reason("bad"),
        "Access to the tables of “bad” was denied: allow glue:GetTables on \
         arn:aws:glue:eu-central-1:123456789012:database/bad. AWS said: “User is not authorized.”"
    );
    assert_eq!(told.names(), ["good.t0", "good.t1"]);
    assert_eq!(cost.calls, 3, "what lasts is not tried again");
}

#[tokio::test]
async fn a_database_dropped_between_two_calls_is_incomplete() {
    let dropped = || Reply::Error(400, "EntityNotFoundException", "Database bad not found.");

    let (told, _) = read_with(failing(true, dropped)).await;

    assert_eq!(
        told.reason("bad"),
        "AWS Glue could not find the database “bad”: it was dropped or renamed in the meantime. \
         AWS said: “Database bad not found.”"
    );
    assert_eq!(told.names(), ["bad.t0", "bad.t1", "good.t0", "good.t1"]);
}

#[tokio::test]
async fn an_expired_page_token_makes_the_database_incomplete() {
    let expired = || Reply::Error(400, "InvalidInputException", "Next token expired");

    let (told, _) = read_with(failing(true, expired)).await;

    assert_eq!(
        told.reason("bad"),
        "AWS Glue refused the next page of the tables of “bad”, probably because its token had expired. \
         AWS said: “Next token expired.”"
    );
}

#[tokio::test]
async fn expired_credentials_are_said_without_showing_them() {
    let expired = || {
        Reply::Error(
            400,
            "ExpiredTokenException",
            "The token AKIATESTKEY is expired",
        )
    };

    let (told, _) = read_with(failing(false, expired)).await;

    assert!(
        told.reason("bad")
            .starts_with("The AWS credentials expired before the tables of “bad”")
    );
    assert!(!told.reason("bad").contains("AKIATESTKEY"));
}

#[tokio::test]
async fn a_secret_that_aws_repeats_is_not_repeated() {
    let refused = || {
        Reply::Error(
            400,
            "StrangeException",
            "AKIATESTKEY with very-secret is odd",
        )
    };

    let (told, _) = read_with(failing(false, refused)).await;

    assert_eq!(
        told.reason("bad"),
        "AWS Glue could not tell the tables of “bad” (StrangeException). AWS said: “… with … is odd.”"
    );
}

#[tokio::test]
async fn what_passes_is_tried_again_and_counted() {
    for (status, code) in [
        (400, "ThrottlingException"),
        (500, "InternalServiceException"),
        (400, "OperationTimeoutException"),
    ] {
        let (told, cost) = read_with(move |call| {
            let is_meant = call.is_tables_of("bad") && call.nth < 3;
            is_meant.then_some(Reply::Error(status, code, "Later."))
        })
        .await;

        assert_eq!(*told.listing("bad"), Listing::Complete, "{code}");
        assert_eq!(told.assets.len(), 5, "{code}");
        assert_eq!(cost.calls, 1 + 2 + 1 + 4, "{code}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_given_up_after_five_attempts() {
    for (reply, reason) in [
        (
            Reply::Error(400, "ThrottlingException", "Rate exceeded"),
            "kept asking for fewer requests",
        ),
        (
            Reply::Error(500, "InternalServiceException", "Oh."),
            "(InternalServiceException). AWS said: “Oh.”",
        ),
        (
            Reply::Error(400, "OperationTimeoutException", ""),
            "(OperationTimeoutException).",
        ),
        (
            Reply::HangUp,
            "The connection to AWS Glue failed while reading the tables of “bad”",
        ),
        (
            Reply::Raw(200, "<html>Sign in</html>".to_owned()),
            "could not be understood",
        ),
        (
            Reply::Raw(502, "<html>Bad gateway</html>".to_owned()),
            "could not be understood",
        ),
        (
            Reply::Raw(200, "{\"TableList\": [{\"Name\": ".to_owned()),
            "could not be understood",
        ),
    ] {
        let reply = std::sync::Arc::new(reply);
        let again = move || match &*reply {
            Reply::Json(value) => Reply::Json(value.clone()),
            Reply::Error(status, code, message) => Reply::Error(*status, code, message),
            Reply::Raw(status, text) => Reply::Raw(*status, text.clone()),
            Reply::HangUp => Reply::HangUp,
        };

        let (told, cost) = read_with(failing(false, again)).await;

        assert!(
            told.reason("bad").contains(reason),
            "{reason}: {}",
            told.reason("bad")
        );
        assert_eq!(cost.calls, 1 + 5 + 1, "{reason}");
    }
}

#[tokio::test]
async fn a_page_token_that_repeats_ends_the_listing() {
    let (told, cost) = read_with(|call| {
        let answer = json!({"TableList": [{"Name": "t"}], "NextToken": "again"});
        call.is_tables_of("bad").then_some(Reply::Json(answer))
    })
    .await;

    assert!(
        told.reason("bad")
            .starts_with("AWS Glue repeats a page token")
    );
    assert_eq!(cost.calls, 4);
}

#[tokio::test]
async fn without_the_first_page_of_databases_nothing_is_read() {
    for (reply, sentence) in [
        (
            Reply::Error(400, "AccessDeniedException", ""),
            "Access to the list of databases was denied: allow glue:GetDatabases on \
             arn:aws:glue:eu-central-1:*:catalog.",
        ),
        (
            Reply::Error(
                400,
                "UnrecognizedClientException",
                "The security token AKIATESTKEY is invalid.",
            ),
            "AWS did not accept the credentials (UnrecognizedClientException), so the list of databases could not \
             be read. Check the access key, its secret and the clock of this machine.",
        ),
    ] {
        let reply = std::sync::Mutex::new(Some(reply));
        let server = GlueServer::scripted(Vec::new(), Vec::new(), move |_| {
            reply.lock().unwrap().take()
        });

        let (told, result) = read(settings(&server)).await;

        assert_eq!(result.unwrap_err().to_string(), sentence);
        assert!(told.databases.is_none());
    }
}

#[tokio::test]
async fn a_list_of_databases_that_breaks_off_is_incomplete_and_the_found_ones_are_read() {
    let server = GlueServer::scripted(databases(&["a", "b", "c"]), tables("a", 1), |call| {
        let is_second = call.operation == "GetDatabases" && call.body.get("NextToken").is_some();
        is_second.then_some(Reply::Error(400, "ExpiredTokenException", ""))
    });

    let (told, result) = read(Settings {
        page_size: 2,
        ..settings(&server)
    })
    .await;

    assert!(
        matches!(told.databases, Some(Listing::Incomplete(reason)) if reason.contains("expired"))
    );
    assert_eq!(told.opened.len(), 2);
    assert_eq!(told.closed.len(), 2);
    assert!(result.is_ok());
}

#[tokio::test]
async fn nobody_there_is_an_error_that_says_so() {
    let server = GlueServer::start(Vec::new(), Vec::new());
    let settings = Settings {
        endpoint_url: Some("http://127.0.0.1:1".to_owned()),
        ..settings(&server)
    };

    let (_, result) = read(settings).await;

    let sentence = result.unwrap_err().to_string();
    assert!(
        sentence
            .starts_with("The connection to AWS Glue failed while reading the list of databases")
    );
}

#[tokio::test]
async fn reading_stops_quietly_when_nobody_listens() {
    let server = GlueServer::start(databases(&["a", "b"]), tables("a", 500));
    let (sender, mut receiver) = mpsc::channel(1);
    let source = Source::Glue(Settings {
        page_size: 1,
        ..settings(&server)
    });
    let reading = tokio::spawn(async move { source.discover(sender).await });

    receiver.recv().await.unwrap();
    drop(receiver);

    assert!(reading.await.unwrap().unwrap().calls < 20);
}

#[tokio::test]
async fn patterns_leave_databases_and_tables_out() {
    let server = GlueServer::start(databases(&["bad", "good", "other"]), tables("good", 3));
    let settings = Settings {
        databases: Pattern::new(&["GOOD", "oth"], &["other"], true).unwrap(),
        tables: Pattern::new(&[".*"], &["good\\.t1$"], true).unwrap(),
        ..settings(&server)
    };

    let (told, _) = read(settings).await;

    assert_eq!(told.opened.len(), 1);
    assert_eq!(told.names(), ["good.t0", "good.t2"]);
    assert!(told.skipped.is_empty());
}

#[tokio::test]
async fn roles_are_assumed_one_after_the_other() {
    let server = GlueServer::scripted(databases(&["a"]), tables("a", 1), |call| {
        let form = call.body.as_str().unwrap_or_default();
        match call.operation.as_str() {
            "AssumeRole" if form.contains("first") => {
                assert!(form.contains("ExternalId=x-1"), "{form}");
                assert!(!call.headers.contains_key("x-amz-security-token"));
            }
            _ => assert_eq!(call.headers["x-amz-security-token"], "role-token"),
        }
        None
    });
    let role = |name: &str, id: Option<&str>| AssumeRole {
        arn: format!("arn:aws:iam::123456789012:role/{name}"),
        external_id: id.map(str::to_owned),
    };
    let roles = vec![role("first", Some("x-1")), role("second", None)];

    let (told, result) = read(Settings {
        roles,
        ..settings(&server)
    })
    .await;

    assert_eq!(told.names(), ["a.t0"]);
    assert_eq!(
        server.operations(),
        ["AssumeRole", "AssumeRole", "GetDatabases", "GetTables"]
    );
    assert_eq!(result.unwrap().calls, 2);
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_an_error_that_says_why() {
    let server = GlueServer::scripted(Vec::new(), Vec::new(), |call| {
        let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to perform \
                      sts:AssumeRole</Message></Error></ErrorResponse>";
        (call.operation == "AssumeRole").then(|| Reply::Raw(403, denied.to_owned()))
    });
    let roles = vec![AssumeRole {
        arn: "arn:aws:iam::1:role/r".to_owned(),
        external_id: None,
    }];

    let (_, result) = read(Settings {
        roles,
        ..settings(&server)
    })
    .await;

    let sentence = result.unwrap_err().to_string();
    assert!(
        sentence.starts_with("There are no AWS credentials to read the list of databases with")
    );
    assert!(
        sentence.contains("Not authorized to perform sts:AssumeRole"),
        "{sentence}"
    );
}

#[tokio::test]
async fn the_catalog_of_another_account_is_asked_for() {
    let server = GlueServer::scripted(databases(&["a"]), tables("a", 1), |call| {
        let expected = if call.operation == "GetDatabases" {
            "210987654321"
        } else {
            "123456789012"
        };
        assert_eq!(call.body["CatalogId"], expected);
        None
    });
    let settings = Settings {
        catalog_id: Some("210987654321".to_owned()),
        ..settings(&server)
    };

    let (told, _) = read(settings).await;

    assert_eq!(told.assets[0].address.instance, "123456789012/eu-central-1");
}
