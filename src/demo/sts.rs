//! The one call of STS that a chain of roles needs: `AssumeRole`, in the query protocol with its XML answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::world::ACCOUNT;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A role that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    pub arn: String,
    pub session_name: String,
    pub external_id: Option<String>,
    /// The access key that signed the request: that of the role before it in a chain.
    pub signed_by: Option<String>,
    /// The access key that was handed out.
    pub access_key: String,
}

/// The roles handed out so far, until when their keys are good, and the roles that nobody gets.
#[derive(Debug)]
pub(super) struct Roles {
    assumed: Vec<AssumedRole>,
    expiries: BTreeMap<String, DateTime<Utc>>,
    refused: BTreeSet<String>,
    pub(super) lifetime: Duration,
}

impl Default for Roles {
    fn default() -> Self {
        Self {
            assumed: Vec::new(),
            expiries: BTreeMap::new(),
            refused: BTreeSet::new(),
            lifetime: Duration::from_hours(1),
        }
    }
}

impl Roles {
    pub(super) fn assumed(&self) -> Vec<AssumedRole> {
        self.assumed.clone()
    }

    pub(super) fn refuse(&mut self, arn: &str) {
        self.refused.insert(arn.to_owned());
    }

    /// Tells whether a key was handed out here and has run out since.
    pub(super) fn has_expired(&self, access_key: &str, now: DateTime<Utc>) -> bool {
        self.expiries
            .get(access_key)
            .is_some_and(|expiry| *expiry <= now)
    }

    /// Answers a request in the query protocol.
    pub(super) fn answer(&mut self, form: &str, signed_by: Option<&str>) -> HttpResponse {
        let fields = Query::<BTreeMap<String, String>>::from_query(form)
            .map(Query::into_inner)
            .unwrap_or_default();
        match fields.get("Action").map(String::as_str) {
            Some("AssumeRole") => self.assume(&fields, signed_by, Utc::now()),
            Some("GetCallerIdentity") => caller_identity(),
            _ => refusal(
                StatusCode::BAD_REQUEST,
                "InvalidAction",
                "Could not find operation",
            ),
        }
    }

    fn assume(
        &mut self,
        fields: &BTreeMap<String, String>,
        signed_by: Option<&str>,
        now: DateTime<Utc>,
    ) -> HttpResponse {
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let arn = field("RoleArn");
        if !arn.starts_with("arn:") || self.refused.contains(&arn) {
            let text = format!(
                "User: arn:aws:iam::{ACCOUNT}:user/demo is not authorized to perform: sts:AssumeRole on resource: {arn}"
            );
            return refusal(StatusCode::FORBIDDEN, "AccessDenied", &text);
        }
        let role = AssumedRole {
            access_key: format!("ASIADEMO{:012}", self.assumed.len().saturating_add(1)),
            session_name: field("RoleSessionName"),
            external_id: fields.get("ExternalId").cloned(),
            signed_by: signed_by.map(ToOwned::to_owned),
            arn,
        };
        let expiry = now + TimeDelta::from_std(self.lifetime).unwrap_or_default();
        self.expiries.insert(role.access_key.clone(), expiry);
        let answer = assumed(&role, expiry);
        self.assumed.push(role);
        answer
    }
}

fn assumed(role: &AssumedRole, expiry: DateTime<Utc>) -> HttpResponse {
    let key = &role.access_key;
    let arn = escape(&role.arn);
    let session = escape(&role.session_name);
    let expiry = expiry.to_rfc3339_opts(SecondsFormat::Secs, true);
    xml(
        StatusCode::OK,
        format!(
            "<AssumeRoleResponse xmlns=\"{NAMESPACE}\"><AssumeRoleResult>\
             <AssumedRoleUser><AssumedRoleId>AROADEMO:{session}</AssumedRoleId><Arn>{arn}/{session}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>not-a-secret-{key}</SecretAccessKey>\
             <SessionToken>session-of-{key}</SessionToken><Expiration>{expiry}</Expiration></Credentials>\
             </AssumeRoleResult><ResponseMetadata><RequestId>demo</RequestId></ResponseMetadata></AssumeRoleResponse>"
        ),
    )
}

fn caller_identity() -> HttpResponse {
    xml(
        StatusCode::OK,
        format!(
            "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{ACCOUNT}:user/demo</Arn><UserId>AIDADEMO</UserId><Account>{ACCOUNT}</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>demo</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        ),
    )
}

fn refusal(status: StatusCode, code: &str, message: &str) -> HttpResponse {
    let message = escape(message);
    xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>demo</RequestId></ErrorResponse>"
        ),
    )
}

fn xml(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/xml")
        .body(body)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
