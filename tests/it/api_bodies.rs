//! Bodies that programs send: read as the description of the API says, and refused with what would be right.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp, table};

/// A call that takes a body, and the address of one that can be made.
struct Call {
    method: Method,
    path: String,
    example: Value,
}

/// Every call of the description that takes a body.
async fn calls(app: &TestApp) -> Vec<Call> {
    app.add("sales", vec![table(&["sales", "orders"], &[("id", "int")])])
        .await;
    let id = app.id_of(&["sales", "orders"]).await.to_string();
    let description = app.json("/api/openapi.json").await;
    let mut calls = Vec::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let content = &operation["requestBody"]["content"]["application/json"];
            if content.is_object() {
                calls.push(Call {
                    method: method.to_uppercase().parse().unwrap(),
                    path: path
                        .replace("{id}", &id)
                        .replace("{column}", "id")
                        .replace("{number}", "2"),
                    example: content["example"].clone(),
                });
            }
        }
    }
    calls
}

async fn send(app: &TestApp, call: &Call, content_type: &str, body: &str) -> Answer {
    let request = app.request(call.method.clone(), &call.path);
    let request = if content_type.is_empty() {
        request
    } else {
        request.header("content-type", content_type)
    };
    Answer::of(request.body(body.to_owned())).await
}

#[tokio::test]
async fn every_body_with_an_odd_key_is_refused_with_the_nearest_one_and_an_example() {
    let app = TestApp::start().await;
    let calls = calls(&app).await;
    assert!(calls.len() >= 7, "{}", calls.len());

    for call in &calls {
        let path = &call.path;
        let example = call.example.as_object();
        let example = example.unwrap_or_else(|| panic!("{path} has no example of its body"));
        for key in example.keys() {
            let mut misnamed = example.clone();
            let value = misnamed.remove(key).unwrap();
            let typo = format!("{key}s_");
            misnamed.insert(typo.clone(), value);
            let body = Value::Object(misnamed).to_string();
            let answer = send(&app, call, "application/json", &body).await;

            assert_eq!(answer.status, 422, "{path} {body}: {}", answer.text);
            assert_eq!(answer.header("content-type"), "application/problem+json");
            let told = answer.json();
            let wanted = format!("There is no key “{typo}”. Did you mean “{key}”?");
            let problems = told["problems"].as_array().unwrap();
            let found = problems
                .iter()
                .any(|one| one["text"] == wanted.as_str() && one["field"] == typo.as_str());
            assert!(found, "{path} {body}: {told}");
            assert_eq!(told["example"], call.example, "{path}");
        }
        let mut more = example.clone();
        more.insert("zzzzzzzz".to_owned(), json!(1));
        let answer = send(
            &app,
            call,
            "application/json",
            &Value::Object(more).to_string(),
        )
        .await;
        assert_eq!(answer.status, 422, "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with("There is no key “zzzzzzzz”. The keys are "),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn every_body_of_a_wrong_type_or_with_a_key_missing_is_refused_at_its_key() {
    let app = TestApp::start().await;
    for call in calls(&app).await {
        let path = &call.path;
        let example = call.example.as_object().unwrap();
        for key in example.keys() {
            let mut odd = example.clone();
            odd.insert(key.clone(), json!({"a": true}));
            let body = Value::Object(odd).to_string();
            let answer = send(&app, &call, "application/json", &body).await;
            assert_eq!(answer.status, 422, "{path} {body}: {}", answer.text);
            assert_eq!(
                answer.json()["problems"][0]["field"],
                key.as_str(),
                "{path}"
            );
        }
        let version = example.contains_key("version");
        let only_version = if version { "{\"version\": 0}" } else { "{}" };
        let only_version = send(&app, &call, "application/json", only_version).await;
        assert_eq!(only_version.status, 422, "{path}: {}", only_version.text);
        let told = only_version.json();
        let detail = told["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("The key “") && detail.ends_with("” is missing."),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused_with_an_example() {
    let app = TestApp::start().await;
    for call in calls(&app).await {
        let good = call.example.to_string();
        for (content_type, body, status) in [
            ("application/json", "", StatusCode::BAD_REQUEST),
            ("application/json", "{\"text\": ", StatusCode::BAD_REQUEST),
            (
                "application/json",
                "text=x&version=0",
                StatusCode::BAD_REQUEST,
            ),
            ("application/json", "[]", StatusCode::UNPROCESSABLE_ENTITY),
            ("application/json", "null", StatusCode::UNPROCESSABLE_ENTITY),
            (
                "application/json",
                "{\"version\": 0, \"version\": 1}",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            ("text/plain", &good, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            (
                "application/x-www-form-urlencoded",
                &good,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            ("", &good, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ] {
            let answer = send(&app, &call, content_type, body).await;
            assert_eq!(
                answer.status, status,
                "{} {body}: {}",
                call.path, answer.text
            );
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.json()["example"], call.example, "{}", call.path);
        }
    }
}

#[tokio::test]
async fn what_is_inside_a_list_is_named_by_its_place() {
    let app = TestApp::start().await;
    let calls = calls(&app).await;
    let owners = calls
        .iter()
        .find(|call| call.path.ends_with("/owners"))
        .unwrap();
    let body = json!({"version": 0, "owners": [
        {"kind": "person", "id": "x", "role": "business"},
        {"kind": "team", "id": "01980a5e-7c1b-7def-8a90-1b2c3d4e5f60", "rolle": "business"},
    ]});

    let told = send(&app, owners, "application/json", &body.to_string())
        .await
        .json();

    let problems = told["problems"].as_array().unwrap();
    let fields: Vec<&str> = problems
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(
        fields,
        [
            "owners[0].id",
            "owners[0].kind",
            "owners[1].rolle",
            "owners[1].role"
        ],
        "{told}"
    );
    assert_eq!(
        problems[1]["text"],
        "“owners[0].kind” is one of account, team, and not “person”."
    );
}

#[tokio::test]
async fn a_call_that_takes_no_body_leaves_none_unread() {
    let app = TestApp::start().await;
    let run = async |body: &str| {
        let request = app.request(Method::POST, "/api/v1/recipes/none/runs");
        Answer::of(request.body(body.to_owned())).await.status
    };

    assert_eq!(run("{\"dry_run\": true}").await, 422);
    assert_eq!(run("").await, 404);
    assert_eq!(run("{}").await, 404);
}
