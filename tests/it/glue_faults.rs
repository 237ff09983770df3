//! What a reading of Glue reports when Glue, the network or the permissions let it down.

use std::time::Duration;

use gazetteer::catalog::{Address, Listing};
use gazetteer::sources::glue::{AssumeRole, AwsCredentials, Limits, Settings, Size};
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
        identity: AwsCredentials::Keys {
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
            Report::Opened { database, .. } => {
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
                ..
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
async fn an_answer_about_a_role_is_not_read_without_end() {
    let server = GlueServer::scripted(Vec::new(), Vec::new(), |call| {
        let endless = format!("<AssumeRoleResponse>{}", " ".repeat(100_000));
        (call.operation == "AssumeRole").then_some(Reply::Raw(200, endless))
    });
    let roles = vec![AssumeRole {
        arn: "arn:aws:iam::1:role/r".to_owned(),
        external_id: None,
    }];

    let (_, result) = read(Settings {
        roles,
        limits: Limits {
            answer_size: Size(50_000),
            ..Limits::default()
        },
        ..settings(&server)
    })
    .await;

    let sentence = result.unwrap_err().to_string();
    assert!(
        sentence.starts_with("There are no AWS credentials to read the list of databases with"),
        "{sentence}"
    );
    assert!(sentence.contains("length limit exceeded"), "{sentence}");
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

fn columns(count: usize) -> Value {
    let column = |number| json!({"Name": format!("c{number}"), "Type": "int"});
    json!({"Columns": (0..count).map(column).collect::<Vec<_>>()})
}

/// What a database of these entries, written as they are, and its reading tell.
async fn read_entries(entries: &str, limits: Limits) -> Told {
    let answer = format!("{{\"TableList\": [{entries}]}}");
    let server = GlueServer::scripted(databases(&["d"]), Vec::new(), move |call| {
        call.is_tables_of("d")
            .then(|| Reply::Raw(200, answer.clone()))
    });
    let (told, result) = read(Settings {
        limits,
        ..settings(&server)
    })
    .await;
    result.unwrap();
    told
}

#[tokio::test]
async fn one_broken_entry_costs_itself_and_stays_as_it_was() {
    let raw_control = "\"Description\": \"a\u{1}b\"";
    for broken in [
        r#""StorageDescriptor": "no""#,
        r#""Parameters": [1]"#,
        r#""Parameters": {"a": null, "b": 17}"#,
        r#""StorageDescriptor": {"Columns": [null]}"#,
        r#""PartitionKeys": [null]"#,
        r#""Description": "\ud800""#,
        r#""Description": nul"#,
        r#""Retention": "soon""#,
        r#""CreateTime": "yesterday""#,
        r#""X": [[[[[}]]]]"#,
        raw_control,
    ] {
        let entries =
            format!(r#"{{"Name": "before"}}, {{"Name": "odd", {broken}}}, {{"Name": "after"}}"#);

        let told = read_entries(&entries, Limits::default()).await;

        assert_eq!(told.names(), ["d.after", "d.before"], "{broken}");
        assert_eq!(*told.listing("d"), Listing::Complete, "{broken}");
        assert_eq!(told.skipped[0].address.path, ["d", "odd"], "{broken}");
        let reason = &told.skipped[0].reason;
        assert!(
            reason.starts_with("Its entry could not be understood, so it stays as it was ("),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn an_entry_without_a_name_is_told_by_its_place_and_lets_nothing_be_called_gone() {
    for unknown in [
        "null",
        "{}",
        r#"{"Name": null}"#,
        r#"{"Name": 17}"#,
        "17",
        "[]",
    ] {
        let entries = format!(r#"{{"Name": "before"}}, {unknown}, {{"Name": "after"}}"#);

        let told = read_entries(&entries, Limits::default()).await;

        assert_eq!(told.names(), ["d.after", "d.before"], "{unknown}");
        assert_eq!(
            told.reason("d"),
            "Nobody can tell what 1 entry of the listing meant, so nothing was called gone.",
        );
        let text = &told.findings[0].text;
        let place = "Entry 2 on page 1 of its tables was left out: it ";
        assert!(text.starts_with(place), "{unknown}: {text}");
    }
}

#[tokio::test]
async fn a_broken_database_costs_itself_and_lets_no_database_be_called_gone() {
    let server = GlueServer::scripted(Vec::new(), tables("good", 1), |call| {
        let answer =
            r#"{"DatabaseList": [null, {"Name": "bad", "Parameters": 7}, {"Name": "good"}]}"#;
        (call.operation == "GetDatabases").then(|| Reply::Raw(200, answer.to_owned()))
    });

    let (told, result) = read(settings(&server)).await;

    result.unwrap();
    assert_eq!(told.names(), ["good.t0"]);
    assert_eq!(
        told.databases,
        Some(Listing::Incomplete(
            "Nobody can tell what 2 entries of the listing meant, so nothing was called gone."
                .to_owned()
        ))
    );
    assert_eq!(
        told.findings[0].text,
        "Entry 1 on page 1 of the list of databases was left out: it is null."
    );
    let text = &told.findings[1].text;
    assert!(text.contains("“bad” could not be understood ("), "{text}");
}

#[tokio::test]
async fn a_key_counts_however_it_is_written_and_an_answer_has_it_once() {
    let tables = r#"[{"Name": "a"}, {"Name": "b"}]"#;
    let escaped = r#""Table\u004cist""#;
    for (answer, names) in [
        (format!("{{{escaped}: {tables}}}"), Some(["d.a", "d.b"])),
        (
            format!(r#"{{"TableList": {tables}, "TableList": []}}"#),
            None,
        ),
        (format!(r#"{{{escaped}: {tables}, "TableList": []}}"#), None),
        (format!(r#"{{"TableList": [], {escaped}: {tables}}}"#), None),
    ] {
        let given = answer.clone();
        let server = GlueServer::scripted(databases(&["d"]), Vec::new(), move |call| {
            call.is_tables_of("d")
                .then(|| Reply::Raw(200, given.clone()))
        });

        let (told, result) = read(settings(&server)).await;

        result.unwrap();
        if let Some(names) = names {
            assert_eq!(told.names(), names, "{answer}");
            assert_eq!(*told.listing("d"), Listing::Complete, "{answer}");
        } else {
            assert!(told.assets.is_empty(), "{answer}");
            assert_ne!(*told.listing("d"), Listing::Complete, "{answer}");
        }
    }
}

/// A script that answers every question about tables with a new table and a new token.
fn endless(empty: bool) -> impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static {
    move |call| {
        let page: usize = call.body["NextToken"]
            .as_str()
            .map_or(0, |token| token.parse().unwrap());
        let table = json!({"Name": format!("t{page}")});
        let tables = if empty { Vec::new() } else { vec![table] };
        let answer = json!({"TableList": tables, "NextToken": (page + 1).to_string()});
        (call.operation == "GetTables").then_some(Reply::Json(answer))
    }
}

#[tokio::test]
async fn a_listing_without_end_is_cut_and_says_what_to_set() {
    let few = Limits {
        pages_per_listing: 7,
        ..Limits::default()
    };
    let few_tables = Limits {
        tables_per_database: 5,
        ..Limits::default()
    };
    let few_pages = Limits {
        pages: 6,
        ..Limits::default()
    };
    for (limits, empty, tables, key) in [
        (few, false, 7, "pages_per_listing"),
        (few, true, 0, "pages_per_listing"),
        (few_tables, false, 5, "tables_per_database"),
        (few_pages, false, 5, "pages"),
    ] {
        let server = GlueServer::scripted(databases(&["d"]), Vec::new(), endless(empty));

        let (told, result) = read(Settings {
            limits,
            ..settings(&server)
        })
        .await;

        result.unwrap();
        assert_eq!(told.assets.len(), tables, "{key}");
        assert!(
            told.reason("d")
                .contains(&format!("raise “{key}” in its “limits”")),
            "{}",
            told.reason("d")
        );
    }
}

#[tokio::test]
async fn a_list_of_databases_without_end_is_cut() {
    let server = GlueServer::scripted(Vec::new(), Vec::new(), |call| {
        let page = call.body["NextToken"].as_str().unwrap_or("0").to_owned();
        let next: usize = page.parse::<usize>().unwrap() + 1;
        let answer = json!({"DatabaseList": [{"Name": page}], "NextToken": next.to_string()});
        (call.operation == "GetDatabases").then_some(Reply::Json(answer))
    });
    let limits = Limits {
        databases: 3,
        ..Limits::default()
    };

    let (told, _) = read(Settings {
        limits,
        ..settings(&server)
    })
    .await;

    assert_eq!(told.closed.len(), 4);
    let Some(Listing::Incomplete(reason)) = told.databases else {
        panic!("the list of databases is complete");
    };
    assert!(
        reason.starts_with("The catalog has more than 3 databases"),
        "{reason}"
    );
}

#[tokio::test]
async fn links_to_databases_count_though_they_are_left_out() {
    let links: Vec<Value> = (0..5)
        .map(|nth| json!({"Name": format!("link{nth}"), "TargetDatabase": {"DatabaseName": "d"}}))
        .collect();
    let server = GlueServer::start(links, Vec::new());
    let limits = Limits {
        databases: 3,
        ..Limits::default()
    };

    let (told, _) = read(Settings {
        limits,
        ignore_resource_links: true,
        ..settings(&server)
    })
    .await;

    assert_eq!(told.kept.len(), 4);
    let Some(Listing::Incomplete(reason)) = told.databases else {
        panic!("the list of databases is complete");
    };
    assert!(
        reason.starts_with("The catalog has more than 3 databases"),
        "{reason}"
    );
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_asked_for_in_smaller_pages() {
    let limits = Limits {
        answer_size: Size(2_000),
        ..Limits::default()
    };
    let mut rows = tables("d", 30);
    rows.push(json!({"Name": "large", "DatabaseName": "d", "Description": "x".repeat(3_000)}));
    let server = GlueServer::start(databases(&["d"]), rows);

    let (told, cost) = read(Settings {
        limits,
        ..settings(&server)
    })
    .await;

    assert_eq!(told.assets.len(), 30);
    assert_eq!(
        told.reason("d"),
        "The answer about the tables of “d” has more than 2000 B, which is as much as the recipe allows. If that is \
         right, raise “answer_size” in its “limits”."
    );
    assert_eq!(
        cost.unwrap().calls,
        1 + 1 + 3 + 2,
        "it is not tried again as it is"
    );
}

#[tokio::test]
async fn a_table_beyond_a_bound_stays_as_it_was_and_says_what_to_set() {
    let wide = json!({"Name": "odd", "StorageDescriptor": columns(12)});
    let long = json!({"Name": "odd", "Description": "x".repeat(5_000)});
    let deep = format!("{}int{}", "struct<a:".repeat(40), ">".repeat(40));
    let kinds = (0..2).map(|n| json!({"Name": format!("c{n}"), "Type": deep}));
    let deep = json!({"Name": "odd", "StorageDescriptor": {"Columns": kinds.collect::<Vec<_>>()}});
    let many = json!({"Name": "odd", "Parameters": {"a": "{},".repeat(100)}});
    let nested = format!("struct<{}>", "a:int,".repeat(11) + "b:int");
    let nested =
        json!({"Name": "odd", "StorageDescriptor": {"Columns": [{"Name": "c", "Type": nested}]}});
    let named = json!({"Name": "n".repeat(200)});
    let limits = Limits {
        table_size: Size(4_000),
        table_columns: 11,
        name_size: Size(100),
        ..Limits::default()
    };
    for (odd, key) in [
        (wide, "table_columns"),
        (many, "table_columns"),
        (nested, "table_columns"),
        (long, "table_size"),
        (deep, "table_size"),
        (named, "name_size"),
    ] {
        let entries = format!(r#"{odd}, {{"Name": "after"}}"#);

        let told = read_entries(&entries, limits).await;

        assert_eq!(told.names(), ["d.after"], "{key}");
        assert_eq!(*told.listing("d"), Listing::Complete, "{key}");
        assert_eq!(
            told.skipped[0].address.name(),
            odd["Name"].as_str().unwrap()
        );
        let reason = &told.skipped[0].reason;
        assert!(reason.contains(&format!("raise “{key}”")), "{reason}");
    }
}

#[tokio::test]
async fn an_answer_with_too_many_rows_is_read_as_far_as_the_recipe_allows() {
    let limits = Limits {
        answer_rows: 3,
        ..Limits::default()
    };

    let entries = r#"{"Name":"a"},{"Name":"b"},{"Name":"c"},{"Name":"d"}"#;
    let told = read_entries(entries, limits).await;

    assert_eq!(told.names(), ["d.a", "d.b", "d.c"]);
    assert!(told.reason("d").contains("raise “answer_rows”"));
}

#[tokio::test]
async fn what_a_refusal_says_is_told_in_short() {
    let refused = Reply::Raw(
        400,
        json!({"__type": "StrangeException", "Message": "x".repeat(5_000)}).to_string(),
    );
    let huge = Reply::Raw(
        400,
        json!({"__type": "StrangeException", "Message": "x".repeat(100_000)}).to_string(),
    );
    for (reply, reason) in [(refused, "StrangeException"), (huge, "HTTP status 400")] {
        let reply = std::sync::Mutex::new(Some(reply));
        let server = GlueServer::scripted(databases(&["d"]), Vec::new(), move |call| {
            (call.is_tables_of("d")).then(|| reply.lock().unwrap().take())?
        });

        let (told, _) = read(settings(&server)).await;

        assert!(told.reason("d").contains(reason), "{}", told.reason("d"));
        assert!(told.reason("d").len() < 1_500);
    }
}
