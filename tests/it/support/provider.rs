//! An OpenID Connect provider that says what a test wants of a person, in whatever shape.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Utc;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use serde_json::{Map, Value, json};
use url::Url;

/// A provider. Dropping it stops it.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    shared: Arc<Shared>,
    server: ServerHandle,
}

struct Shared {
    issuer: Mutex<String>,
    key: CoreEdDsaPrivateSigningKey,
    /// What it says: `id`, `userinfo`, `meta`, `jwk`, `header`, `token`, `morekeys`, each over what is usual.
    case: Mutex<Value>,
    /// The nonce of each code.
    nonces: Mutex<HashMap<String, String>>,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared {
            issuer: Mutex::default(),
            key: new_key(),
            case: Mutex::default(),
            nonces: Mutex::default(),
        });
        let app_data = Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::clone(&app_data))
                .default_service(web::to(answer))
        });
        let server = server.workers(1).disable_signals();
        let server = server.bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", server.addrs()[0]);
        shared.issuer.lock().unwrap().clone_from(&issuer);
        let running = server.run();
        let server = running.handle();
        drop(tokio::spawn(running));
        Self {
            issuer,
            shared,
            server,
        }
    }

    /// Says this from now on.
    pub(crate) fn say(&self, case: &Value) {
        *self.shared.case.lock().unwrap() = case.clone();
    }

    /// Signs somebody in who was sent here, and says where they go back to.
    pub(crate) fn authorize(&self, sent: &str) -> String {
        let query: HashMap<String, String> = Url::parse(sent)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        let mut nonces = self.shared.nonces.lock().unwrap();
        let code = format!("code-{}", nonces.len());
        nonces.insert(code.clone(), query["nonce"].clone());
        let mut back = Url::parse(&query["redirect_uri"]).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &query["state"]);
        format!("{}?{}", back.path(), back.query().unwrap())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// A key that nobody has written down.
fn new_key() -> CoreEdDsaPrivateSigningKey {
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).unwrap();
    der.extend(seed);
    let text = STANDARD.encode(der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    let id = JsonWebKeyId::new("k1".to_owned());
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(id)).unwrap()
}

async fn answer(request: HttpRequest, body: String, shared: Data<Shared>) -> HttpResponse {
    let issuer = shared.issuer.lock().unwrap().clone();
    let at = |path: &str| format!("{issuer}{path}");
    let said = match request.path() {
        "/.well-known/openid-configuration" => shared.over(
            "meta",
            &json!({
                "issuer": issuer,
                "authorization_endpoint": at("/authorize"),
                "token_endpoint": at("/token"),
                "userinfo_endpoint": at("/userinfo"),
                "jwks_uri": at("/jwks"),
            }),
        ),
        "/jwks" => {
            let key = serde_json::to_value(shared.key.as_verification_key()).unwrap();
            let key = shared.over("jwk", &key);
            let more = shared.case.lock().unwrap()["morekeys"].clone();
            let mut keys = more.as_array().cloned().unwrap_or_default();
            keys.push(key);
            json!({ "keys": keys })
        }
        "/userinfo" => shared.over("userinfo", &json!({})),
        "/token" => match shared.token(&issuer, &body) {
            Some(token) => token,
            None => return HttpResponse::BadRequest().json(json!({"error": "invalid_grant"})),
        },
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok().json(said)
}

impl Shared {
    /// What is usual, with what the test wants over it; null takes a field away, but of what is said of a person.
    fn over(&self, part: &str, usual: &Value) -> Value {
        let case = self.case.lock().unwrap();
        let wanted = case[part].as_object().cloned().unwrap_or_default();
        let mut said: Map<String, Value> = usual.as_object().unwrap().clone();
        said.extend(wanted);
        if part != "userinfo" {
            said.retain(|_, value| !value.is_null());
        }
        Value::Object(said)
    }

    fn token(&self, issuer: &str, body: &str) -> Option<Value> {
        let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes())
            .into_owned()
            .collect();
        let nonce = self.nonces.lock().unwrap().remove(form.get("code")?)?;
        let now = Utc::now().timestamp();
        let usual = json!({
            "iss": issuer, "aud": "gazetteer", "exp": now + 600, "iat": now, "nonce": nonce,
        });
        let claims = self.over("id", &usual).to_string();
        let header = self.over(
            "header",
            &json!({"alg": "EdDSA", "kid": "k1", "typ": "JWT"}),
        );
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", part(&header.to_string()), part(&claims));
        let signature = self
            .key
            .sign(&CoreJwsSigningAlgorithm::EdDsa, message.as_bytes())
            .unwrap();
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        let usual = json!({"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": token});
        Some(self.over("token", &usual))
    }
}
