//! The sample world and its endpoint, over HTTP and through the real client.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests may panic as the tests do"
)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_sdk_glue::config::{BehaviorVersion, Credentials, Region};
use gazetteer::catalog::Listing;
use gazetteer::demo::{Corpus, EVERY_PAGE, Endpoint, Fault, Operation, World};
use gazetteer::sources::glue::{AwsCredentials, Settings};
use gazetteer::sources::{Report, Source};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Asks as an AWS client does, without a signature.
async fn ask(endpoint: &Endpoint, operation: &str, question: Value) -> Response {
    reqwest::Client::new()
        .post(endpoint.url())
        .header("x-amz-target", format!("AWSGlue.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(question.to_string())
        .send()
        .await
        .unwrap()
}

async fn refusal(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let header = response.headers()["x-amzn-errortype"]
        .to_str()
        .unwrap()
        .to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["__type"], header);
    assert!(body["Message"].is_string());
    (status, header)
}

fn names(page: &Value, list: &str) -> Vec<String> {
    let entries = page[list].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["Name"].as_str().unwrap().to_owned())
        .collect()
}

/// Follows `NextToken` to the end of a listing.
async fn all_tables(endpoint: &Endpoint, database: &str, limit: u32) -> Vec<String> {
    let mut question = json!({"DatabaseName": database, "MaxResults": limit});
    let mut all = Vec::new();
    loop {
        let response = ask(endpoint, "GetTables", question.clone()).await;
        let page: Value = response.json().await.unwrap();
        all.extend(names(&page, "TableList"));
        match page.get("NextToken") {
            Some(token) => question["NextToken"] = token.clone(),
            None => return all,
        }
    }
}

fn numbered(tables: u32) -> World {
    let mut world = World::new();
    for number in 0..tables {
        world.set_table("sales", &json!({"Name": format!("t{number:04}")}));
    }
    world
}

fn client(endpoint: &Endpoint) -> aws_sdk_glue::Client {
    let config = aws_sdk_glue::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint.url())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("AKIADEMO", "none", None, None, "test"))
        .build();
    aws_sdk_glue::Client::from_conf(config)
}

/// Counts the tables of a database, or gives the code with which that was refused.
async fn read_tables(client: &aws_sdk_glue::Client, database: &str) -> Result<usize, String> {
    let mut read = 0;
    let request = client.get_tables().database_name(database).max_results(5);
    let mut pages = request.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| {
            let error = error.into_service_error();
            error.meta().code().unwrap_or_default().to_owned()
        })?;
        for table in page.table_list() {
            assert!(table.create_time().is_some(), "{}", table.name());
            read += 1;
        }
    }
    Ok(read)
}

#[tokio::test]
async fn a_listing_comes_in_pages_of_a_hundred_and_of_as_many_as_asked() {
    let endpoint = Endpoint::start(numbered(250)).await.unwrap();

    let first = ask(&endpoint, "GetTables", json!({"DatabaseName": "sales"})).await;
    let first: Value = first.json().await.unwrap();
    let by_seven = all_tables(&endpoint, "sales", 7).await;

    assert_eq!(names(&first, "TableList").len(), 100);
    assert_eq!(by_seven.len(), 250);
    assert_eq!(by_seven.iter().collect::<BTreeSet<_>>().len(), 250);
    assert_eq!(endpoint.calls_of(Operation::Tables, "sales"), 37);
}

#[tokio::test]
async fn tables_that_come_and_go_between_two_pages_shift_no_other() {
    let endpoint = Endpoint::start(numbered(150)).await.unwrap();
    let question = json!({"DatabaseName": "sales"});
    let first: Value = ask(&endpoint, "GetTables", question)
        .await
        .json()
        .await
        .unwrap();

    endpoint.remove_table("sales", "t0005");
    endpoint.add_table("sales", &json!({"Name": "t0006b"}));
    let question = json!({"DatabaseName": "sales", "NextToken": first["NextToken"]});
    let second: Value = ask(&endpoint, "GetTables", question)
        .await
        .json()
        .await
        .unwrap();

    let second = names(&second, "TableList");
    assert_eq!(second.first().map(String::as_str), Some("t0100"));
    assert_eq!(second.len(), 50);
}

#[tokio::test]
async fn refusals_have_the_names_and_statuses_of_glue() {
    let endpoint = Endpoint::start(numbered(3)).await.unwrap();
    let cases = [
        (
            "GetTables",
            json!({"DatabaseName": "nowhere"}),
            "EntityNotFoundException",
        ),
        ("GetTables", json!({}), "InvalidInputException"),
        (
            "GetTables",
            json!({"DatabaseName": "sales", "NextToken": "forged"}),
            "InvalidInputException",
        ),
        (
            "GetTables",
            json!({"DatabaseName": "sales", "MaxResults": 101}),
            "InvalidInputException",
        ),
        (
            "GetTable",
            json!({"DatabaseName": "sales", "Name": "nothing"}),
            "EntityNotFoundException",
        ),
        (
            "GetDatabase",
            json!({"Name": "nowhere"}),
            "EntityNotFoundException",
        ),
        ("GetJobs", json!({}), "UnknownOperationException"),
        ("GetTables", json!([1, 2]), "SerializationException"),
    ];

    for (operation, question, expected) in cases {
        let response = ask(&endpoint, operation, question.clone()).await;

        let (status, code) = refusal(response).await;
        assert_eq!(status, 400, "{operation} {question}");
        assert_eq!(code, expected, "{operation} {question}");
    }
}

#[tokio::test]
async fn a_fault_strikes_the_page_it_was_planned_for_as_often_as_planned() {
    let endpoint = Endpoint::start(numbered(150)).await.unwrap();
    let cases = [
        (Fault::Throttled, 400, "ThrottlingException"),
        (Fault::AccessDenied, 400, "AccessDeniedException"),
        (Fault::EntityNotFound, 400, "EntityNotFoundException"),
        (Fault::InternalError, 500, "InternalServiceException"),
        (Fault::OperationTimeout, 400, "OperationTimeoutException"),
        (Fault::InvalidInput, 400, "InvalidInputException"),
        (Fault::ExpiredToken, 400, "ExpiredTokenException"),
    ];
    let question = json!({"DatabaseName": "sales"});

    for (fault, status, code) in cases {
        endpoint.fault("sales", 1, fault.times(1));

        let met = refusal(ask(&endpoint, "GetTables", question.clone()).await).await;
        let after = ask(&endpoint, "GetTables", question.clone()).await;

        assert_eq!(
            met,
            (StatusCode::from_u16(status).unwrap(), code.to_owned())
        );
        assert_eq!(after.status(), 200);
    }
}

#[tokio::test]
async fn a_connection_can_break_off_and_a_body_can_be_no_json() {
    let endpoint = Endpoint::start(numbered(1)).await.unwrap();
    let question = json!({"DatabaseName": "sales"});

    endpoint.fault("sales", EVERY_PAGE, Fault::ClosedConnection.times(1));
    let broken = reqwest::Client::new()
        .post(endpoint.url())
        .header("x-amz-target", "AWSGlue.GetTables")
        .body(question.to_string())
        .send()
        .await;
    let broken = match broken {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    endpoint.fault("sales", EVERY_PAGE, Fault::NotJson.times(1));
    let garbled = ask(&endpoint, "GetTables", question.clone()).await;
    let healed = ask(&endpoint, "GetTables", question).await;

    assert!(broken);
    assert!(garbled.json::<Value>().await.is_err());
    assert!(healed.json::<Value>().await.is_ok());
}

#[tokio::test]
async fn a_token_can_repeat_for_ever_and_a_page_can_be_empty_in_the_middle() {
    let endpoint = Endpoint::start(numbered(150)).await.unwrap();

    endpoint.fault("sales", 2, Fault::RepeatedToken);
    let question = json!({"DatabaseName": "sales"});
    let first: Value = ask(&endpoint, "GetTables", question)
        .await
        .json()
        .await
        .unwrap();
    let question = json!({"DatabaseName": "sales", "NextToken": first["NextToken"]});
    let second: Value = ask(&endpoint, "GetTables", question)
        .await
        .json()
        .await
        .unwrap();
    endpoint.heal();
    endpoint.fault("sales", 2, Fault::EmptyPage.times(1));
    let all = all_tables(&endpoint, "sales", 100).await;

    assert_eq!(second["NextToken"], first["NextToken"]);
    assert_eq!(all.len(), 150);
    assert_eq!(endpoint.calls(), 5);
}

#[tokio::test]
async fn a_slow_answer_comes_in_the_end() {
    let endpoint = Endpoint::start(numbered(1)).await.unwrap();
    endpoint.fault("sales", 1, Fault::Slow(Duration::from_millis(80)).times(1));

    let begun = Instant::now();
    let page = ask(&endpoint, "GetTables", json!({"DatabaseName": "sales"})).await;

    assert_eq!(page.status(), 200);
    assert!(begun.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn roles_are_handed_out_one_after_the_other_and_run_out() {
    let endpoint = Endpoint::start(numbered(1)).await.unwrap();
    endpoint.set_role_lifetime(Duration::ZERO);
    endpoint.refuse_role("arn:aws:iam::444455556666:role/none");
    let assume = async |arn: &str| {
        let form = [
            ("Action", "AssumeRole"),
            ("RoleArn", arn),
            ("RoleSessionName", "gazetteer"),
            ("ExternalId", "a/b&c"),
        ];
        let request = reqwest::Client::new().post(endpoint.url()).form(&form);
        let request = request.header("authorization", "AWS4-HMAC-SHA256 Credential=AKIAFIRST/x");
        request.send().await.unwrap()
    };

    let given = assume("arn:aws:iam::444455556666:role/reader").await;
    let refused = assume("arn:aws:iam::444455556666:role/none").await;

    assert_eq!(given.status(), 200);
    assert_eq!(refused.status(), 403);
    let roles = endpoint.roles();
    assert_eq!(roles.len(), 1);
    assert_eq!(roles[0].external_id.as_deref(), Some("a/b&c"));
    assert_eq!(roles[0].signed_by.as_deref(), Some("AKIAFIRST"));
    let body = given.text().await.unwrap();
    assert!(body.contains(&format!(
        "<AccessKeyId>{}</AccessKeyId>",
        roles[0].access_key
    )));

    let expired = reqwest::Client::new()
        .post(endpoint.url())
        .header("x-amz-target", "AWSGlue.GetDatabases")
        .header(
            "authorization",
            format!("Credential={}/x", roles[0].access_key),
        )
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(expired).await.1, "ExpiredTokenException");
}

#[tokio::test]
async fn the_real_client_reads_every_page_of_every_database_of_the_sample_world() {
    let world = World::demo().unwrap();
    let expected = world.table_count();
    let endpoint = Endpoint::start(world).await.unwrap();
    let client = client(&endpoint);

    let mut read = 0;
    let mut unreadable = Vec::new();
    let mut databases = client.get_databases().into_paginator().send();
    while let Some(page) = databases.next().await {
        for database in page.unwrap().database_list() {
            assert!(database.create_time().is_some(), "{database:?}");
            match read_tables(&client, database.name()).await {
                Ok(tables) => read += tables,
                Err(code) => unreadable.push((database.name().to_owned(), code)),
            }
        }
    }

    let denied = ("people".to_owned(), "AccessDeniedException".to_owned());
    assert_eq!(unreadable, [denied]);
    assert!(read >= 90, "{read} of {expected} tables");
    assert_eq!(endpoint.access_keys(), ["AKIADEMO"]);
}

#[test]
fn a_corpus_is_read_line_by_line_and_a_bad_line_is_named_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("tables.jsonl");
    let good = r#"{"database":"a","table":"b","description":"","columns":[{"name":"c","type":"int","comment":"d"}]}"#;
    std::fs::write(&corpus, format!("{good}\n{{\"database\":\"a\"}}\n")).unwrap();

    let read = Corpus::read(&corpus).unwrap();
    std::fs::write(&corpus, "{\"database\":\"a\"}\n").unwrap();
    let refused = Corpus::read(folder.path()).unwrap_err().to_string();

    let left_out = read.left_out.iter().map(ToString::to_string);
    let left_out: Vec<_> = left_out.collect();
    assert_eq!(left_out.len(), 1);
    for told in [&left_out[0], &refused] {
        assert!(told.contains("tables.jsonl, line "), "{told}");
        assert!(told.contains("missing field `table`"), "{told}");
    }
    let table = read.world.find_table("a", "b").unwrap();
    assert_eq!(table["StorageDescriptor"]["Columns"][0]["Comment"], "d");
    assert_eq!(table.get("Description"), None);
}

#[test]
fn answers_saved_from_glue_are_served_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let saved = json!({
        "source": {"kind": "recorded"},
        "databases": [{"Name": "odd", "Parameters": null}],
        "tables": [{"Name": "link", "DatabaseName": "odd", "CatalogId": "210987654321"}],
    });
    std::fs::write(folder.path().join("odd.json"), saved.to_string()).unwrap();

    let world = Corpus::read(folder.path()).unwrap().world;

    assert_eq!(
        world.find_table("odd", "link").unwrap()["CatalogId"],
        "210987654321"
    );
}

#[tokio::test]
async fn answers_saved_in_every_form_are_read_and_what_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let table = |name: &str, time: Value| json!({"Name": name, "DatabaseName": "gym", "CreateTime": time, "UpdateTime": null});
    let page = |name: &str, time: Value| json!({"TableList": [table(name, time)]}).to_string();
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(
            page("powershell", json!(1_703_799_164))
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    save("a.json", page("cli_1", json!(1_703_799_164.0)).as_bytes());
    save(
        "b.json",
        page("cli_2", json!("2023-12-28T22:32:44+01:00")).as_bytes(),
    );
    save(
        "c.json",
        json!({"Table": table("one", json!("2023-12-28T21:32:44.000Z"))})
            .to_string()
            .as_bytes(),
    );
    save("d.json", br#"{"DatabaseList": [{"Name": "gym", "Description": "The gym", "CreateTime": "2023-12-28T22:32:44+01:00"}]}"#);
    save("e.json", &utf16);
    save("f.json", br#"{"TableList": [{"#);
    save("g.json", br#"{"Jobs": []}"#);
    save("h.json", b"\xe4");

    let corpus = Corpus::read(folder.path()).unwrap();

    let endpoint = Endpoint::start(corpus.world).await.unwrap();
    let read = discover(&endpoint).await;
    assert_eq!(incomplete(&read), [""; 0]);
    assert_eq!(
        assets(&read),
        ["gym.cli_1", "gym.cli_2", "gym.one", "gym.powershell"]
    );
    let created = |report: &Report| match report {
        Report::Page { assets, .. } => assets.iter().map(|asset| asset.facts.created_at).collect(),
        Report::Opened { database, .. } => vec![database.facts.created_at],
        _ => Vec::new(),
    };
    let created: Vec<_> = read.iter().flat_map(created).flatten().collect();
    assert_eq!(created.len(), 5);
    assert!(
        created.iter().all(|at| at.timestamp() == 1_703_799_164),
        "{created:?}"
    );
    let left_out: Vec<_> = corpus.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    for (told, reason) in left_out.iter().zip([
        "f.json, line 1: EOF while parsing",
        "g.json, line 1: no answer of AWS Glue is in it",
        "h.json” is not text in UTF-8",
    ]) {
        assert!(told.contains(reason), "{told}");
    }
}

#[tokio::test]
async fn the_sample_world_reads_as_its_makers_meant_it() {
    let endpoint = Endpoint::start(World::demo().unwrap()).await.unwrap();

    let read = discover(&endpoint).await;

    let skipped: Vec<_> = read.iter().filter(|report| is_skip(report)).collect();
    assert!(skipped.is_empty(), "{skipped:?}");
    let expected = ["sandbox.customers_of_partner", "views.v_broken"];
    assert_eq!(findings(&read), expected.map(str::to_owned).into());
    assert_eq!(incomplete(&read), ["people"]);
    let assets = assets(&read);
    assert!(assets.len() >= 100, "{}", assets.len());
    assert!(assets.contains(&"views.views.person".to_owned()));
    assert!(assets.contains(&"partner_carriers.tariffs".to_owned()));
    assert!(
        !assets
            .iter()
            .any(|name| name.starts_with("carriers_shared"))
    );
}

/// Reads everything that an endpoint serves, as a recipe's run does.
async fn discover(endpoint: &Endpoint) -> Vec<Report> {
    let settings = Settings {
        region: Some("eu-central-1".to_owned()),
        endpoint_url: Some(endpoint.url()),
        identity: AwsCredentials::Keys {
            id: "demo".to_owned().into(),
            secret: "demo".to_owned().into(),
            session_token: None,
        },
        ..Settings::default()
    };
    let (send, mut receive) = mpsc::channel(8);
    let reading = tokio::spawn(async move { Source::Glue(settings).discover(send).await });
    let mut reports = Vec::new();
    while let Some(report) = receive.recv().await {
        reports.push(report);
    }
    reading.await.unwrap().unwrap();
    reports
}

fn is_skip(report: &Report) -> bool {
    matches!(report, Report::Page { skipped, .. } if !skipped.is_empty())
}

fn findings(reports: &[Report]) -> BTreeSet<String> {
    let found = reports.iter().filter_map(|report| match report {
        Report::Finding(finding) => finding.about.as_ref(),
        _ => None,
    });
    found.map(|about| about.path.join(".")).collect()
}

fn incomplete(reports: &[Report]) -> Vec<String> {
    let closed = reports.iter().filter_map(|report| match report {
        Report::Closed { database, listing } if *listing != Listing::Complete => Some(database),
        _ => None,
    });
    closed.map(|database| database.name().to_owned()).collect()
}

fn assets(reports: &[Report]) -> Vec<String> {
    let pages = reports.iter().filter_map(|report| match report {
        Report::Page { assets, .. } => Some(assets),
        _ => None,
    });
    let assets = pages.flatten();
    assets.map(|asset| asset.address.path.join(".")).collect()
}
