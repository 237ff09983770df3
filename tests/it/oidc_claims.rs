//! Who gets in with what an OpenID Connect provider says of them, and what admins see of it.

use std::collections::BTreeMap;

use gazetteer::auth::directories::Directories;
use gazetteer::config;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::support::app::{Answer, Browser, Settings, TestApp, texts};
use crate::support::provider::Provider;

/// A catalog whose people come from a provider that names their groups in this claim.
async fn catalog(provider: &Provider, claim: &str) -> TestApp {
    catalog_with(provider, claim, "stewards=steward,admins=admin").await
}

/// The same, with other roles of groups.
async fn catalog_with(provider: &Provider, claim: &str, roles: &str) -> TestApp {
    let settings = config::Directories {
        oidc: config::Oidc {
            issuer: Some(provider.issuer.clone()),
            client_id: Some("gazetteer".to_owned()),
            client_secret: Some("a secret".into()),
            name: Some("the harbour office".to_owned()),
            groups_claim: Some(claim.to_owned()),
            roles: Some(roles.to_owned()),
            teams: Some("stewards=Data".to_owned()),
            ..config::Oidc::default()
        },
        ..config::Directories::default()
    };
    TestApp::start_with(Settings {
        directories: Directories::new(&settings).unwrap(),
        ..Settings::default()
    })
    .await
}

/// Goes to the provider and comes back.
async fn sign_in(app: &TestApp, provider: &Provider) -> Answer {
    let visitor = app.visitor();
    let away = visitor.get("/sign-in/oidc").await;
    if away.status != StatusCode::SEE_OTHER {
        return away;
    }
    let cookie = away
        .header("set-cookie")
        .split_once(';')
        .unwrap()
        .0
        .to_owned();
    let back = provider.authorize(away.header("location"));
    let request = visitor.request(Method::GET, &back).header("cookie", cookie);
    Answer::of(request).await
}

fn alert(answer: &Answer) -> String {
    texts(&answer.html(), "[role=alert]").join("\n")
}

/// What came of a sign-in, in a word.
async fn outcome(app: &TestApp, answer: &Answer) -> String {
    if answer.status == StatusCode::SEE_OTHER {
        let browser = app.visitor().with_cookie_of(answer);
        let page = browser.page("/profile").await;
        let told = texts(&page, ".page-head .soft").join(" ");
        let role = ["a steward of everything", "an admin", "a reader"];
        let role = role.into_iter().find(|role| told.contains(role));
        return match role {
            Some("a steward of everything") if told.contains("in Data") => "steward".to_owned(),
            _ => told,
        };
    }
    match (answer.status, alert(answer)) {
        (StatusCode::FORBIDDEN, told) if told.starts_with("None of your groups may") => {
            "kept out".to_owned()
        }
        (StatusCode::FORBIDDEN, told) if told.starts_with("The provider left your groups out") => {
            "left out".to_owned()
        }
        (StatusCode::UNAUTHORIZED, told)
            if told.starts_with("The provider’s answer is not to be") =>
        {
            "untrue".to_owned()
        }
        (status, told) => format!("{status} {told}"),
    }
}

#[tokio::test]
async fn everybody_gets_in_whose_groups_say_so_however_the_provider_says_it() {
    let cases = include_str!("fixtures/oidc/claims.json");
    let cases: BTreeMap<String, Value> = serde_json::from_str(cases).unwrap();
    let mut by_provider: BTreeMap<(&str, &str), Vec<(&String, &Value)>> = BTreeMap::new();
    for (name, case) in &cases {
        let claim = case["claim"].as_str().unwrap_or("groups");
        // What a provider says of itself is kept for an hour: whoever says something else is another provider.
        let is_usual = ["meta", "jwk", "morekeys"]
            .iter()
            .all(|part| case[part].is_null());
        let provider = if is_usual { "" } else { name };
        by_provider
            .entry((claim, provider))
            .or_default()
            .push((name, case));
    }
    let mut surprises = Vec::new();
    for ((claim, _), cases) in by_provider {
        let provider = Provider::start();
        let app = catalog(&provider, claim).await;
        for (name, case) in cases {
            provider.say(case);
            let answer = sign_in(&app, &provider).await;
            let came = outcome(&app, &answer).await;
            if came != case["expect"] {
                surprises.push(format!("{name}: {came}"));
            }
        }
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[tokio::test]
async fn admins_see_what_the_provider_said_and_what_kept_somebody_out() {
    let provider = Provider::start();
    let app = catalog(&provider, "groups").await;
    let steward = json!({"id": {
        "sub": "1", "preferred_username": "ana", "name": 5, "groups": ["stewards"],
        "email": "hidden@example.org",
    }});
    provider.say(&steward);
    sign_in(&app, &provider).await;
    provider.say(&json!({"id": {"sub": "2", "preferred_username": "bo", "groups": ["choir"]}}));
    sign_in(&app, &provider).await;
    provider.say(&json!({"id": {"sub": "3", "preferred_username": "cy", "hasgroups": true}}));
    sign_in(&app, &provider).await;
    provider.say(&json!({"id": {"sub": "4", "aud": "another"}}));
    sign_in(&app, &provider).await;

    let page = app.page("/sign-in-check").await;

    let rows = texts(&page, "#sign-ins tr");
    let expected = [
        vec!["No answer that can be used", "audience (aud)", "127.0.0.1"],
        vec!["Kept out", "the provider left their groups out", "cy"],
        vec![
            "Kept out",
            "no group of theirs has a role here",
            "bo",
            "choir",
        ],
        vec![
            "Signed in",
            "ana",
            "stewards",
            "cannot be read: name",
            "email text",
        ],
    ];
    // The admin has come first.
    assert_eq!(rows.len(), expected.len() + 1, "{rows:?}");
    for (row, words) in rows.iter().zip(expected) {
        for word in words {
            assert!(row.contains(word), "{word} in {row}");
        }
        assert!(!row.contains("hidden@example.org"), "{row}");
    }
    assert!(
        texts(&app.page("/").await, "#person nav")
            .join(" ")
            .contains("Sign-in check")
    );
}

#[tokio::test]
async fn groups_that_are_left_out_take_no_role_and_no_team_away() {
    let provider = Provider::start();
    let roles = "stewards=steward,*=reader";
    let app = catalog_with(&provider, "groups", roles).await;
    let ana = |more: Value| {
        let mut id = json!({"sub": "1", "preferred_username": "ana"});
        id.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({ "id": id })
    };
    let mut came = Vec::new();
    for said in [
        ana(json!({"groups": ["stewards"]})),
        ana(json!({"hasgroups": true})),
        json!({"id": {"sub": "2", "preferred_username": "bo", "hasgroups": true}}),
        ana(json!({"groups": ["choir"]})),
    ] {
        provider.say(&said);
        let answer = sign_in(&app, &provider).await;
        came.push(outcome(&app, &answer).await);
    }

    assert_eq!(came[..2], ["steward", "steward"]);
    for reader in &came[2..] {
        assert!(reader.contains("a reader"), "{reader}");
    }
}

#[tokio::test]
async fn sign_ins_that_anybody_can_break_off_push_out_nothing_else() {
    let provider = Provider::start();
    let app = catalog(&provider, "groups").await;
    provider.say(&json!({"id": {"sub": "4", "aud": "another"}}));
    sign_in(&app, &provider).await;
    for _ in 0..30 {
        let visitor = app.visitor();
        let away = visitor.get("/sign-in/oidc").await;
        let cookie = away.header("set-cookie").split_once(';').unwrap().0;
        let there = Url::parse(away.header("location")).unwrap();
        let state = there.query_pairs().find(|(name, _)| name == "state");
        let state = state.unwrap().1.into_owned();
        let back = format!("/sign-in/oidc/callback?error=access_denied&state={state}");
        let request = visitor.request(Method::GET, &back);
        let answer = Answer::of(request.header("cookie", cookie)).await;
        assert!(answer.text.contains("broken off"), "{}", answer.text);
    }

    let rows = texts(&app.page("/sign-in-check").await, "#sign-ins tr");

    let of = |word: &str| rows.iter().filter(|row| row.contains(word)).count();
    assert_eq!(of("Broken off"), 25, "{rows:?}");
    assert_eq!(of("No answer that can be used"), 1, "{rows:?}");
}

#[tokio::test]
async fn pasted_claims_show_what_they_would_mean_and_nobody_is_signed_in() {
    let provider = Provider::start();
    let app = catalog(&provider, "groups").await;
    let check = async |claims: &str| {
        app.admin()
            .post("/sign-in-check", &[("claims", claims)])
            .await
    };

    let steward = check(r#"{"sub": "1", "nickname": "ana", "groups": "readers,stewards"}"#).await;
    // {"sub":"1","groups":["choir"]}
    let token = "e30.eyJzdWIiOiIxIiwiZ3JvdXBzIjpbImNob2lyIl19.c2ln";
    let outsider = check(token).await;
    let nonsense = check("{ \"sub\": ").await;

    let page = steward.html();
    assert_eq!(texts(&page, "#role"), ["steward"]);
    assert_eq!(texts(&page, "#teams"), ["Data"]);
    assert!(
        texts(&page, "#meaning")
            .join(" ")
            .contains("Groups: readers, stewards")
    );
    let page = outsider.html();
    assert_eq!(
        texts(&page, "#role"),
        ["Kept out: no group of theirs has a role here."]
    );
    assert!(texts(&page, "#meaning").join(" ").contains("Groups: choir"));
    assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(texts(&nonsense.html(), "#claims"), ["{ \"sub\":"]);
    // Nobody has come since the admin did.
    let rows = texts(&app.page("/sign-in-check").await, "#sign-ins tr");
    assert_eq!(rows.len(), 1, "{rows:?}");
}

#[tokio::test]
async fn the_last_sign_ins_are_kept_and_the_others_forgotten() {
    let provider = Provider::start();
    let app = catalog(&provider, "groups").await;
    provider.say(&json!({"id": {"sub": "1", "preferred_username": "ana", "groups": ["stewards"]}}));
    sign_in(&app, &provider).await;
    provider.say(&json!({"id": {"sub": "2", "preferred_username": "bo", "groups": ["choir"]}}));
    for _ in 0..30 {
        sign_in(&app, &provider).await;
    }

    let rows = texts(&app.page("/sign-in-check").await, "#sign-ins tr");

    // Of those who came in, ana and the admin.
    assert_eq!(rows.len(), 25 + 2);
    assert!(rows[25].contains("Signed in"), "{}", rows[25]);
    let nobody: &Browser = &app.visitor();
    assert_eq!(
        nobody.get("/sign-in-check").await.status,
        StatusCode::SEE_OTHER
    );
}
