//! AWS Glue's API: how to reach it, as whom, how patiently, and what its refusals mean.
//!
//! Transient troubles are retried here, with growing pauses and a limit; what comes out of this module is an answer or
//! a sentence. Secrets never do.

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_glue::config::interceptors::{
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_glue::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_glue::config::{ConfigBag, Credentials, Intercept, RuntimeComponents};
use aws_sdk_glue::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_glue::operation::get_databases::GetDatabasesError;
use aws_sdk_glue::operation::get_table::GetTableError;
use aws_sdk_glue::operation::get_tables::GetTablesError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use secrecy::{ExposeSecret, SecretString};

use super::answer::{self, Answer, Keep, Operation};
use super::limits::{Bound, Limits};
use super::{AwsCredentials, Settings, arn, http};
use crate::error;
use crate::sources::room::Held;
use crate::sources::{Error, MissingPermission};
use crate::telemetry::request;

/// The shortest secret that is looked for, in bytes; keys of AWS are longer.
const SHORTEST_SECRET: usize = 8;

/// How often one request is sent before it is given up.
const ATTEMPTS: u32 = 5;

/// How many characters are told of what AWS says.
const LONGEST_WORDS: usize = 1_000;

/// A connection to Glue that counts what it sends.
#[derive(Debug)]
pub(super) struct Client {
    config: SdkConfig,
    home: aws_sdk_glue::Client,
    region: String,
    /// Clients for the regions that links point to.
    elsewhere: Mutex<HashMap<String, aws_sdk_glue::Client>>,
    calls: Arc<AtomicU64>,
    /// How many pages were asked for, of all listings.
    pages: AtomicUsize,
    limits: Limits,
    operations: Operations,
    /// What must never be repeated, even when the other side does.
    secrets: Vec<SecretString>,
}

/// What is asked, once for each connection.
#[derive(Debug)]
struct Operations {
    databases: Operation,
    tables: Operation,
    table: Operation,
}

/// One page of an answer, and the token of the next.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) answer: Answer,
    pub(super) next: Option<String>,
    /// The room that it takes, once there is some for it.
    pub(super) held: Held,
}

/// Which page of a listing is asked for, and how many entries it should have.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) token: Option<String>,
    pub(super) rows: i32,
}

/// Where a database or a table really lives.
#[derive(Debug, Clone, Default)]
pub(super) struct Whereabouts {
    /// Another region than the client's own.
    pub(super) region: Option<String>,
    pub(super) catalog_id: Option<String>,
    pub(super) database: String,
}

/// Why something could not be read, as a whole sentence without secrets.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub(super) struct Failure {
    sentence: String,
    /// The next run will meet it again unless somebody does something: no permission, no such thing.
    pub(super) lasting: bool,
    /// The answer is larger than the recipe allows.
    pub(super) too_large: bool,
}

/// The page tokens of one listing; none may come twice, nor too many.
#[derive(Debug)]
pub(super) struct Tokens {
    seen: HashSet<blake3::Hash>,
    limits: Limits,
}

/// What was asked, in the words of the answer to a person.
struct Question {
    what: String,
    /// What must exist for an answer.
    thing: String,
    permission: &'static str,
    resource: String,
    continued: bool,
}

impl Client {
    /// Prepares a client: finds the region and whom to act as, but asks Glue nothing yet.
    pub(super) async fn connect(settings: &Settings) -> Result<Self, Error> {
        let config = load(settings).await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Error::Unreadable(
                "No AWS region is set. Name it in the recipe as “aws_region”, or in the profile or the environment \
                 variable AWS_REGION."
                    .to_owned(),
            ));
        };
        let config = assume_roles(config, settings).await;
        let calls = Arc::new(AtomicU64::new(0));
        Ok(Self {
            home: glue(&config, None, &calls),
            config,
            region,
            elsewhere: Mutex::default(),
            calls,
            pages: AtomicUsize::new(0),
            limits: settings.limits,
            operations: Operations {
                databases: Operation::get_databases(),
                tables: Operation::get_tables(),
                table: Operation::get_table(),
            },
            secrets: settings.identity.secrets(),
        })
    }

    /// The region in which this client asks.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// How many requests were sent, retries included.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// One page of the list of databases.
    pub(super) async fn databases(
        &self,
        catalog_id: Option<&str>,
        ask: Ask,
    ) -> Result<Page, Failure> {
        let question = Question {
            what: "the list of databases".to_owned(),
            permission: "glue:GetDatabases",
            resource: self.arn(None, catalog_id, "catalog"),
            thing: "the catalog".to_owned(),
            continued: ask.token.is_some(),
        };
        self.count_page(&question)?;
        let keep = Keep::new(&self.operations.databases, self.limits.answer_size.0);
        let request = self.home.get_databases().max_results(ask.rows);
        let request = request
            .set_catalog_id(catalog_id.map(str::to_owned))
            .set_next_token(ask.token);
        let answer = request.customize().interceptor(keep.clone()).send().await;
        let answer = answer.map_err(|error| self.failure(&error, &question))?;
        Ok(Page {
            next: answer.next_token,
            answer: keep.answer(),
            held: Held::default(),
        })
    }

    /// One page of the tables of a database.
    pub(super) async fn tables(&self, place: &Whereabouts, ask: Ask) -> Result<Page, Failure> {
        let resource = format!("database/{}", place.database);
        let (region, account) = (place.region.as_deref(), place.catalog_id.as_deref());
        let question = Question {
            what: format!("the tables of “{}”", place.database),
            permission: "glue:GetTables",
            resource: self.arn(region, account, &resource),
            thing: format!("the database “{}”", place.database),
            continued: ask.token.is_some(),
        };
        self.count_page(&question)?;
        let keep = Keep::new(&self.operations.tables, self.limits.answer_size.0);
        let request = self.glue_in(region).get_tables();
        let request = request
            .database_name(&place.database)
            .set_catalog_id(place.catalog_id.clone())
            .max_results(ask.rows)
            .set_next_token(ask.token);
        let answer = request.customize().interceptor(keep.clone()).send().await;
        let answer = answer.map_err(|error| self.failure(&error, &question))?;
        Ok(Page {
            next: answer.next_token,
            answer: keep.answer(),
            held: Held::default(),
        })
    }

    /// One table, to follow a link to it.
    pub(super) async fn table(&self, place: &Whereabouts, name: &str) -> Result<Answer, Failure> {
        let resource = format!("table/{}/{name}", place.database);
        let what = format!(
            "the table “{}.{name}”, to which a link points",
            place.database
        );
        let question = Question {
            thing: what.clone(),
            what,
            permission: "glue:GetTable",
            resource: self.arn(
                place.region.as_deref(),
                place.catalog_id.as_deref(),
                &resource,
            ),
            continued: false,
        };
        let most = self.limits.table_size.0.min(self.limits.answer_size.0);
        let keep = Keep::new(&self.operations.table, most);
        let request = self.glue_in(place.region.as_deref()).get_table();
        let request = request
            .database_name(&place.database)
            .name(name)
            .set_catalog_id(place.catalog_id.clone());
        let answer = request.customize().interceptor(keep.clone()).send().await;
        answer.map_err(|error| self.failure(&error, &question))?;
        let answer = keep.answer();
        if answer.rows == 0 {
            let sentence = format!("AWS Glue answered without {}.", question.what);
            return Err(Failure::passing(sentence));
        }
        Ok(answer)
    }

    /// Counts a page that is asked for, which may be one too many.
    fn count_page(&self, question: &Question) -> Result<(), Failure> {
        if self.pages.fetch_add(1, Ordering::Relaxed) < self.limits.pages {
            return Ok(());
        }
        let what = format!(
            "Reading stopped before the end of {}: it took",
            question.what
        );
        Err(Failure::lasting(self.limits.exceeded(&what, Bound::Pages)))
    }

    fn glue_in(&self, region: Option<&str>) -> aws_sdk_glue::Client {
        let Some(region) = region.filter(|region| *region != self.region) else {
            return self.home.clone();
        };
        let mut elsewhere = self
            .elsewhere
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let client = elsewhere
            .entry(region.to_owned())
            .or_insert_with(|| glue(&self.config, Some(region.to_owned()), &self.calls));
        client.clone()
    }

    fn arn(&self, region: Option<&str>, catalog_id: Option<&str>, resource: &str) -> String {
        arn::of(region.unwrap_or(&self.region), catalog_id, resource)
    }

    fn failure<E>(&self, error: &SdkError<E>, question: &Question) -> Failure
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let mut failure = match error.as_service_error() {
            Some(refusal) => {
                question.refused(refusal.code(), refusal.message().unwrap_or_default())
            }
            None if answer::is_too_large(error) && is_answer(error) => {
                let what = format!("The answer about {} has", question.what);
                Failure {
                    too_large: true,
                    ..Failure::lasting(self.limits.exceeded(&what, Bound::AnswerSize))
                }
            }
            None => question.unanswered(error),
        };
        for secret in &self.secrets {
            let secret = secret.expose_secret();
            // A short one is no secret, and may be part of a name.
            if secret.len() >= SHORTEST_SECRET && failure.sentence.contains(secret) {
                failure.sentence = failure.sentence.replace(secret, "…");
            }
        }
        failure
    }
}

impl Question {
    /// The permission without which the answer is no.
    fn missing(&self) -> MissingPermission {
        MissingPermission {
            action: self.permission.to_owned(),
            resource: self.resource.clone(),
        }
    }

    /// The answer came, and it was no.
    fn refused(&self, code: Option<&str>, message: &str) -> Failure {
        let what = &self.what;
        let said: String = message.trim().chars().take(LONGEST_WORDS).collect();
        let words = said.trim_end_matches('.');
        let said = if words.is_empty() {
            String::new()
        } else {
            format!(" AWS said: “{words}.”")
        };
        let Some(code) = code else {
            return Failure::passing(format!(
                "The answer about {what} could not be understood: it is not what AWS Glue answers. Check that the \
                 endpoint is AWS Glue and that nothing between rewrites it."
            ));
        };
        match code {
            "AccessDeniedException"
            | "AccessDenied"
            | "UnauthorizedOperation"
            | "NotAuthorized" => Failure::lasting(self.missing().sentence(what, words)),
            "EntityNotFoundException" => Failure::lasting(format!(
                "AWS Glue could not find {}: it was dropped or renamed in the meantime.{said}",
                self.thing
            )),
            "InvalidInputException" if self.continued => Failure::passing(format!(
                "AWS Glue refused the next page of {what}, probably because its token had expired.{said}"
            )),
            "ExpiredTokenException" | "ExpiredToken" | "RequestExpired" => {
                Failure::passing(format!(
                    "The AWS credentials expired before {what} could be read. Renew them, or let the recipe assume a \
                 role, which renews itself."
                ))
            }
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "IncompleteSignatureException"
            | "IncompleteSignature"
            | "MissingAuthenticationTokenException" => Failure::passing(format!(
                "AWS did not accept the credentials ({code}), so {what} could not be read. Check the access key, \
                 its secret and the clock of this machine."
            )),
            code if code.contains("Throttl") || code.contains("TooManyRequests") => {
                Failure::passing(format!(
                    "AWS Glue kept asking for fewer requests ({code}), so {what} could not be read, even in \
                     {ATTEMPTS} attempts. Run the recipe again later."
                ))
            }
            code => Failure::passing(format!("AWS Glue could not tell {what} ({code}).{said}")),
        }
    }

    /// No answer came, or none that could be read.
    fn unanswered<E>(&self, error: &SdkError<E>) -> Failure
    where
        E: StdError + Send + Sync + 'static,
    {
        let what = &self.what;
        if let Some(cause) = credentials_error(error) {
            return Failure::passing(format!(
                "There are no AWS credentials to read {what} with: {}.",
                error::chain(cause).trim_end_matches('.')
            ));
        }
        let sentence = match error {
            SdkError::TimeoutError(_) => {
                format!(
                    "AWS Glue did not answer in time about {what}, even in {ATTEMPTS} attempts."
                )
            }
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                format!(
                    "AWS Glue did not answer in time about {what}, even in {ATTEMPTS} attempts."
                )
            }
            SdkError::ResponseError(response) => format!(
                "The answer about {what} broke off or could not be understood (HTTP status {}), even in {ATTEMPTS} \
                 attempts.",
                response.raw().status().as_u16()
            ),
            SdkError::DispatchFailure(_) => format!(
                "The connection to AWS Glue failed while reading {what}, even in {ATTEMPTS} attempts: {}.",
                innermost(error)
            ),
            other => format!(
                "The request for {what} could not be sent: {}.",
                innermost(other)
            ),
        };
        // What cannot even be asked, such as a region that is none, will not be answered next time either.
        Failure {
            sentence,
            lasting: matches!(error, SdkError::ConstructionFailure(_)),
            too_large: false,
        }
    }
}

impl Failure {
    fn passing(sentence: String) -> Self {
        Self {
            sentence,
            lasting: false,
            too_large: false,
        }
    }

    pub(super) fn lasting(sentence: String) -> Self {
        Self {
            sentence,
            lasting: true,
            too_large: false,
        }
    }
}

impl Tokens {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            seen: HashSet::new(),
            limits,
        }
    }

    /// Takes the token of the next page, unless it was seen before, which would never end, or is one too many.
    pub(super) fn follow(&mut self, next: Option<String>) -> Result<Option<String>, Failure> {
        let Some(token) = next.filter(|token| !token.is_empty()) else {
            return Ok(None);
        };
        if self.seen.len() + 1 >= self.limits.pages_per_listing {
            let sentence = self
                .limits
                .exceeded("The listing has", Bound::PagesPerListing);
            return Err(Failure::lasting(sentence));
        }
        if self.seen.insert(blake3::hash(token.as_bytes())) {
            Ok(Some(token))
        } else {
            Err(Failure::passing(
                "AWS Glue repeats a page token that it gave before, so the listing would never end; it was stopped."
                    .to_owned(),
            ))
        }
    }
}

/// Tells whether an error is about an answer that says yes.
fn is_answer<E>(error: &SdkError<E>) -> bool {
    error
        .raw_response()
        .is_some_and(|response| response.status().is_success())
}

/// Reads the SDK's own configuration, with what the settings say in front of it.
async fn load(settings: &Settings) -> SdkConfig {
    let retry = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(settings.first_pause)
        .with_max_backoff(Duration::from_secs(20));
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(30))
        .operation_attempt_timeout(Duration::from_mins(1))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http::client(settings.limits.answer_size.0))
        .retry_config(retry)
        .timeout_config(timeouts);
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    match &settings.identity {
        AwsCredentials::Chain => {}
        AwsCredentials::Profile(name) => loader = loader.profile_name(name),
        AwsCredentials::Keys {
            id,
            secret,
            session_token,
        } => {
            let token = session_token
                .as_ref()
                .map(|token| token.expose_secret().to_owned());
            let (id, secret) = (id.expose_secret(), secret.expose_secret());
            loader =
                loader.credentials_provider(Credentials::new(id, secret, token, None, "recipe"));
        }
    }
    loader.load().await
}

/// Puts the roles in front of the credentials, each assumed with those of the one before; they renew themselves.
async fn assume_roles(mut config: SdkConfig, settings: &Settings) -> SdkConfig {
    for role in &settings.roles {
        let mut builder = AssumeRoleProvider::builder(&role.arn)
            .configure(&config)
            .session_name("gazetteer");
        if let Some(id) = &role.external_id {
            builder = builder.external_id(id);
        }
        let provider = SharedCredentialsProvider::new(builder.build().await);
        config = config.into_builder().credentials_provider(provider).build();
    }
    config
}

fn glue(
    config: &SdkConfig,
    region: Option<String>,
    calls: &Arc<AtomicU64>,
) -> aws_sdk_glue::Client {
    let mut builder = aws_sdk_glue::config::Builder::from(config)
        .interceptor(Counter(Arc::clone(calls)))
        .interceptor(OnBehalfOf(request::current()))
        .retry_classifier(Transient);
    if let Some(region) = region {
        builder = builder.region(Region::new(region));
    }
    aws_sdk_glue::Client::from_conf(builder.build())
}

/// Counts the requests that are sent.
#[derive(Debug)]
struct Counter(Arc<AtomicU64>);

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "Counter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Sends along on whose behalf it asks, so that what a proxy writes down can be found again.
#[derive(Debug)]
struct OnBehalfOf(Option<Arc<str>>);

impl Intercept for OnBehalfOf {
    fn name(&self) -> &'static str {
        "OnBehalfOf"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(id) = &self.0 {
            let headers = context.request_mut().headers_mut();
            headers.try_insert(request::HEADER, id.to_string())?;
        }
        Ok(())
    }
}

/// Knows what of Glue passes by itself, beyond what the SDK knows.
#[derive(Debug)]
struct Transient;

impl ClassifyRetry for Transient {
    fn name(&self) -> &'static str {
        "Transient"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        // It will not be smaller next time.
        if answer::is_too_large(error) {
            return RetryAction::RetryForbidden;
        }
        let Some(refusal) = error.as_operation_error() else {
            return RetryAction::NoActionIndicated;
        };
        let code = refusal
            .downcast_ref::<GetTablesError>()
            .map(ProvideErrorMetadata::code)
            .or_else(|| {
                refusal
                    .downcast_ref::<GetDatabasesError>()
                    .map(ProvideErrorMetadata::code)
            })
            .or_else(|| {
                refusal
                    .downcast_ref::<GetTableError>()
                    .map(ProvideErrorMetadata::code)
            });
        match code {
            // An answer without a code is not one of Glue's: something between answered in its place.
            Some(
                None
                | Some(
                    "InternalServiceException"
                    | "InternalFailure"
                    | "OperationTimeoutException"
                    | "ServiceUnavailableException"
                    | "FederationSourceRetryableException",
                ),
            ) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }
}

/// The trouble with the credentials, if that is the cause.
fn credentials_error<'a>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a (dyn StdError + 'static)> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<CredentialsError>() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

/// The last cause, which says what really happened.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string().trim_end_matches('.').to_owned()
}
