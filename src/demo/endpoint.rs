//! A small HTTP server that answers as Glue does: AWS JSON 1.1, pages of at most a hundred, Glue's errors.
//!
//! Whatever the signature, a request is answered. Pages are put together from stored bytes. Deliberately absent:
//! everything of Glue that reading a catalog does not need.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::{Asked, Fault, Ledger, Operation, PlannedFault};
use super::sts::{AssumedRole, Roles};
use super::world::{ACCOUNT, Page, World};

const LARGEST_PAGE: usize = 100;
const JSON_TYPE: &str = "application/x-amz-json-1.1";

/// A running endpoint. Dropping it stops it.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    server: ServerHandle,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    world: RwLock<World>,
    ledger: Mutex<Ledger>,
    roles: Mutex<Roles>,
}

impl Endpoint {
    /// Serves a world on a free loopback port.
    pub async fn start(world: World) -> io::Result<Self> {
        Self::start_at(world, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Serves a world at an address of the caller's choice; port 0 means any free one.
    ///
    /// Must be called inside a Tokio runtime, which then runs the server.
    #[expect(clippy::unused_async, reason = "only callable where a runtime is")]
    pub async fn start_at(world: World, address: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            world: RwLock::new(world),
            ..Shared::default()
        });
        let app_data = Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::clone(&app_data))
                .default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .bind(address)?;
        let address = server.addrs().first().copied().unwrap_or(address);
        let running = server.run();
        let handle = running.handle();
        drop(tokio::spawn(running));
        Ok(Self {
            address,
            server: handle,
            shared,
        })
    }

    /// The address to give as `endpoint_url`, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the server and waits until its port is free.
    pub async fn stop(self) {
        self.server.stop(false).await;
    }

    /// Plans a fault for a page of a database's tables; pages count from 1, `EVERY_PAGE` stands for all.
    ///
    /// Several planned for the same page strike one after the other.
    pub fn fault(&self, database: &str, page: u32, fault: impl Into<PlannedFault>) {
        self.fault_at(Operation::Tables, database, page, fault);
    }

    /// Plans a fault for a page of the list of databases.
    pub fn fault_databases(&self, page: u32, fault: impl Into<PlannedFault>) {
        self.fault_at(Operation::Databases, "", page, fault);
    }

    /// Plans a fault for any operation; `database` is empty for `GetDatabases`.
    pub fn fault_at(
        &self,
        operation: Operation,
        database: &str,
        page: u32,
        fault: impl Into<PlannedFault>,
    ) {
        let asked = Asked {
            operation,
            database: database.to_owned(),
            page,
        };
        self.shared.ledger().plan(asked, fault.into());
    }

    /// Forgets every fault planned so far.
    pub fn heal(&self) {
        self.shared.ledger().forget_faults();
    }

    /// Adds a database, or replaces its properties and keeps its tables.
    pub fn set_database(&self, database: &Value) {
        self.shared.world_mut().set_database(database);
    }

    /// Adds a table, and its database when there is none.
    pub fn add_table(&self, database: &str, table: &Value) {
        self.shared.world_mut().set_table(database, table);
    }

    /// Puts a table in the place of the one with its name.
    pub fn replace_table(&self, database: &str, table: &Value) {
        self.shared.world_mut().set_table(database, table);
    }

    /// Removes a table; tells whether there was one.
    pub fn remove_table(&self, database: &str, name: &str) -> bool {
        self.shared.world_mut().remove_table(database, name)
    }

    /// Removes a database with its tables; tells whether there was one.
    pub fn remove_database(&self, name: &str) -> bool {
        self.shared.world_mut().remove_database(name)
    }

    /// Changes the world in any other way, between two requests.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.shared.world_mut())
    }

    /// How many requests were made to Glue, whatever became of them.
    pub fn calls(&self) -> u64 {
        self.shared.ledger().calls()
    }

    /// How many requests of one kind were made about one database; empty for `GetDatabases`.
    pub fn calls_of(&self, operation: Operation, database: &str) -> u64 {
        self.shared.ledger().calls_of(operation, database)
    }

    /// Every access key that signed a request to Glue.
    pub fn access_keys(&self) -> Vec<String> {
        self.shared.ledger().access_keys()
    }

    /// The roles assumed so far, in order.
    pub fn roles(&self) -> Vec<AssumedRole> {
        self.shared.roles().assumed()
    }

    /// Refuses a role to everybody from now on.
    pub fn refuse_role(&self, arn: &str) {
        self.shared.roles().refuse(arn);
    }

    /// Sets how long the keys of roles assumed from now on are good; one hour unless told.
    pub fn set_role_lifetime(&self, lifetime: Duration) {
        self.shared.roles().lifetime = lifetime;
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // The order to stop is sent by the call itself; the future would only wait for it.
        drop(self.server.stop(false));
    }
}

impl Shared {
    // A panic while a lock was held cannot leave these half changed in a way that matters to a test server.
    fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn roles(&self) -> MutexGuard<'_, Roles> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What of a request's body matters here; everything else is accepted and has no effect.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Question {
    database_name: Option<String>,
    name: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
}

/// Where a listing goes on. It names what was read last, so that tables coming and going between two pages shift none.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Cursor {
    database: String,
    after: Option<String>,
    page: u32,
}

/// An error as Glue words it.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

/// Answers every request, whatever its method and path.
async fn answer(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let access_key = access_key(request.headers());
    if header(request.headers(), CONTENT_TYPE.as_str())
        .starts_with("application/x-www-form-urlencoded")
    {
        let form = String::from_utf8_lossy(&body);
        return shared.roles().answer(&form, access_key.as_deref());
    }
    match answer_glue(&shared, &request, &body, access_key.as_deref()).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn answer_glue(
    shared: &Shared,
    request: &HttpRequest,
    body: &[u8],
    access_key: Option<&str>,
) -> Result<HttpResponse, Refusal> {
    let operation = operation(request.headers())?;
    let question: Question =
        serde_json::from_slice(body).map_err(|cause| Refusal::unreadable_request(&cause))?;
    if access_key.is_some_and(|key| shared.roles().has_expired(key, Utc::now())) {
        return Err(Refusal::expired_token());
    }
    let cursor = Cursor::of(operation, &question)?;
    let asked = Asked {
        operation,
        database: cursor.database.clone(),
        page: cursor.page,
    };
    let fault = shared.ledger().note(asked, access_key);
    match fault {
        None => reply(shared, operation, &question, &cursor),
        Some(fault) => misbehave(shared, operation, &question, &cursor, fault).await,
    }
}

async fn misbehave(
    shared: &Shared,
    operation: Operation,
    question: &Question,
    cursor: &Cursor,
    fault: Fault,
) -> Result<HttpResponse, Refusal> {
    match fault {
        Fault::Throttled => Err(Refusal::throttled()),
        Fault::AccessDenied => Err(Refusal::denied(operation, &cursor.database)),
        Fault::EntityNotFound => Err(Refusal::no_database(&cursor.database)),
        Fault::InternalError => Err(Refusal::internal()),
        Fault::OperationTimeout => Err(Refusal::timeout()),
        Fault::InvalidInput => Err(Refusal::invalid("The pagination token has expired.")),
        Fault::ExpiredToken => Err(Refusal::expired_token()),
        Fault::ClosedConnection => Ok(closed_connection()),
        Fault::NotJson => Ok(sent("<html>Service temporarily down</html>".to_owned())),
        Fault::RepeatedToken => {
            let world = shared.world();
            let page = listing(&world, operation, question, cursor)?;
            Ok(sent_page(operation, &page, Some(cursor)))
        }
        Fault::EmptyPage => {
            let mut next = cursor.clone();
            next.page = next.page.saturating_add(1);
            let nothing = Page {
                texts: Vec::new(),
                last: None,
            };
            Ok(sent_page(operation, &nothing, Some(&next)))
        }
        Fault::Slow(delay) => {
            tokio::time::sleep(delay).await;
            reply(shared, operation, question, cursor)
        }
    }
}

fn reply(
    shared: &Shared,
    operation: Operation,
    question: &Question,
    cursor: &Cursor,
) -> Result<HttpResponse, Refusal> {
    let world = shared.world();
    match operation {
        Operation::Database => {
            let name = required(question.name.as_ref(), "Name")?;
            let database = world
                .database(name)
                .ok_or_else(|| Refusal::no_database(name))?;
            Ok(sent(format!("{{\"Database\":{}}}", database.json())))
        }
        Operation::Table => {
            let name = required(question.name.as_ref(), "Name")?;
            let table = readable(&world, operation, &cursor.database)?
                .table(name)
                .ok_or_else(|| Refusal::no_table(name))?;
            Ok(sent(format!("{{\"Table\":{table}}}")))
        }
        Operation::Databases | Operation::Tables => {
            let page = listing(&world, operation, question, cursor)?;
            let next = page.last.map(|last| cursor.next(last));
            Ok(sent_page(operation, &page, next.as_ref()))
        }
    }
}

fn listing<'a>(
    world: &'a World,
    operation: Operation,
    question: &Question,
    cursor: &Cursor,
) -> Result<Page<'a>, Refusal> {
    let limit = limit(question.max_results)?;
    let after = cursor.after.as_deref();
    match operation {
        Operation::Tables | Operation::Table => {
            Ok(readable(world, operation, &cursor.database)?.tables_after(after, limit))
        }
        Operation::Databases | Operation::Database => Ok(world.databases_after(after, limit)),
    }
}

fn readable<'a>(
    world: &'a World,
    operation: Operation,
    name: &str,
) -> Result<&'a super::world::Database, Refusal> {
    let database = world
        .database(name)
        .ok_or_else(|| Refusal::no_database(name))?;
    if database.unreadable {
        return Err(Refusal::denied(operation, name));
    }
    Ok(database)
}

impl Cursor {
    /// Reads the token of a request, or starts at the first page.
    fn of(operation: Operation, question: &Question) -> Result<Self, Refusal> {
        let database = match operation {
            Operation::Databases => String::new(),
            Operation::Database => question.name.clone().unwrap_or_default(),
            Operation::Tables | Operation::Table => {
                required(question.database_name.as_ref(), "DatabaseName")?.to_owned()
            }
        };
        let Some(token) = question.next_token.as_deref().filter(|it| !it.is_empty()) else {
            return Ok(Self {
                database,
                after: None,
                page: 1,
            });
        };
        Self::parse(token)
            .filter(|cursor| cursor.database == database)
            .ok_or_else(|| Refusal::invalid("The pagination token is not valid."))
    }

    fn parse(token: &str) -> Option<Self> {
        let text = URL_SAFE_NO_PAD.decode(token).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(json!(self).to_string())
    }

    fn next(&self, last: &str) -> Self {
        Self {
            database: self.database.clone(),
            after: Some(last.to_owned()),
            page: self.page.saturating_add(1),
        }
    }
}

fn sent_page(operation: Operation, page: &Page<'_>, next: Option<&Cursor>) -> HttpResponse {
    let list = match operation {
        Operation::Databases | Operation::Database => "DatabaseList",
        Operation::Tables | Operation::Table => "TableList",
    };
    let length: usize = page
        .texts
        .iter()
        .map(|text| text.len().saturating_add(1))
        .sum();
    let mut body = String::with_capacity(length.saturating_add(512));
    body.push_str("{\"");
    body.push_str(list);
    body.push_str("\":[");
    for (number, text) in page.texts.iter().enumerate() {
        if number > 0 {
            body.push(',');
        }
        body.push_str(text);
    }
    body.push(']');
    if let Some(next) = next {
        body.push_str(",\"NextToken\":\"");
        body.push_str(&next.token());
        body.push('"');
    }
    body.push('}');
    sent(body)
}

fn sent(body: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(JSON_TYPE)
        .insert_header(("x-amzn-RequestId", Uuid::now_v7().to_string()))
        .body(body)
}

/// An answer that breaks off: the server closes a connection whose body ends in an error.
fn closed_connection() -> HttpResponse {
    let body = futures::stream::iter([
        Ok(Bytes::from_static(b"{\"TableList\":[")),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]);
    HttpResponse::Ok().content_type(JSON_TYPE).streaming(body)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

fn operation(headers: &HeaderMap) -> Result<Operation, Refusal> {
    header(headers, "x-amz-target")
        .strip_prefix("AWSGlue.")
        .and_then(Operation::parse)
        .ok_or_else(Refusal::unknown_operation)
}

/// The access key in `AWS4-HMAC-SHA256 Credential=KEY/date/region/glue/aws4_request, …`.
fn access_key(headers: &HeaderMap) -> Option<String> {
    let (_, after) = header(headers, AUTHORIZATION.as_str()).split_once("Credential=")?;
    let (key, _) = after.split_once('/')?;
    Some(key.to_owned())
}

fn required<'a>(field: Option<&'a String>, name: &str) -> Result<&'a str, Refusal> {
    field
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Refusal::invalid(&format!("{name} is required.")))
}

fn limit(asked: Option<i64>) -> Result<usize, Refusal> {
    let Some(asked) = asked else {
        return Ok(LARGEST_PAGE);
    };
    usize::try_from(asked)
        .ok()
        .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
        .ok_or_else(|| Refusal::invalid("MaxResults must be between 1 and 100."))
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
        }
    }

    fn unknown_operation() -> Self {
        Self::new(
            "UnknownOperationException",
            "The operation is not known here.",
        )
    }

    fn unreadable_request(cause: &serde_json::Error) -> Self {
        Self::new("SerializationException", cause.to_string())
    }

    fn invalid(message: &str) -> Self {
        Self::new("InvalidInputException", message)
    }

    fn throttled() -> Self {
        Self::new("ThrottlingException", "Rate exceeded")
    }

    fn expired_token() -> Self {
        Self::new(
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )
    }

    fn timeout() -> Self {
        Self::new("OperationTimeoutException", "The operation timed out.")
    }

    fn no_database(name: &str) -> Self {
        Self::new(
            "EntityNotFoundException",
            format!("Database {name} not found."),
        )
    }

    fn no_table(name: &str) -> Self {
        Self::new(
            "EntityNotFoundException",
            format!("Entity Not Found: Table {name} not found."),
        )
    }

    fn denied(operation: Operation, database: &str) -> Self {
        let action = operation.as_str();
        Self::new(
            "AccessDeniedException",
            format!(
                "User: arn:aws:iam::{ACCOUNT}:user/demo is not authorized to perform: glue:{action} on resource: \
                 arn:aws:glue:eu-central-1:{ACCOUNT}:database/{database} because no identity-based policy allows \
                 the glue:{action} action"
            ),
        )
    }

    fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "InternalServiceException",
            message: "An internal service error occurred.".to_owned(),
        }
    }

    fn into_response(self) -> HttpResponse {
        let body = json!({"__type": self.code, "Message": self.message});
        HttpResponse::build(self.status)
            .content_type(JSON_TYPE)
            .insert_header(("x-amzn-ErrorType", self.code))
            .insert_header(("x-amzn-RequestId", Uuid::now_v7().to_string()))
            .body(body.to_string())
    }
}
