//! What Glue answered, read entry by entry: a page is kept as it came, and each table of it is read for itself.
//!
//! So one entry that is broken costs itself, and a page takes no more memory than its bytes. The SDK signs, sends, tries
//! again and reads, as it always does; only what it reads at once is less. Deliberately absent: what an entry means.

use std::error::Error as StdError;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_glue::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_glue::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_glue::operation::get_databases::{GetDatabases, GetDatabasesOutput};
use aws_sdk_glue::operation::get_table::{GetTable, GetTableOutput};
use aws_sdk_glue::operation::get_tables::{GetTables, GetTablesOutput};
use aws_sdk_glue::types::{Database, Table};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::FrozenLayer;
use http_body_util::{LengthLimitError, Limited};

use super::scan;

/// How much is read of an answer that says no, in bytes.
const REFUSAL: usize = 64 << 10;

/// One of Glue's operations: how the SDK reads its answers, and which key of them holds what was asked for.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    sdk: FrozenLayer,
    key: &'static str,
    /// Whether that is a list.
    lists: bool,
}

impl Operation {
    pub(super) fn get_databases() -> Self {
        Self::of(&GetDatabases::new(), "DatabaseList", true)
    }

    pub(super) fn get_tables() -> Self {
        Self::of(&GetTables::new(), "TableList", true)
    }

    pub(super) fn get_table() -> Self {
        Self::of(&GetTable::new(), "Table", false)
    }

    fn of(plugin: &impl RuntimePlugin, key: &'static str, lists: bool) -> Self {
        let sdk = plugin.config().expect("an operation has a configuration");
        Self { sdk, key, lists }
    }

    /// Lets the SDK read an answer.
    fn read(
        &self,
        response: &HttpResponse,
        config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        self.sdk
            .load::<SharedResponseDeserializer>()
            .ok_or_else(|| OrchestratorError::other("the SDK has nothing to read answers with"))?
            .deserialize_nonstreaming_with_config(response, config)
    }

    /// Lets the SDK read one entry, or neighbours of a list, as if nothing else had come.
    fn read_alone<T: Send + Sync + std::fmt::Debug + 'static>(
        &self,
        entry: &[u8],
    ) -> Result<T, String> {
        let (open, close) = if self.lists { ("[", "]}") } else { ("", "}") };
        let open = format!("{{\"{}\":{open}", self.key);
        let text = [open.as_bytes(), entry, close.as_bytes()].concat();
        let response = HttpResponse::new(OK.try_into().expect("a status"), SdkBody::from(text));
        let output = self.read(&response, &ConfigBag::base());
        let output = output.map_err(|error| reason(&error))?;
        output
            .downcast()
            .map_err(|other| format!("it is {other:?}"))
    }
}

const OK: u16 = 200;

/// Of so many entries of an answer the places are kept. Glue sends up to a hundred.
const PLACES: usize = 1_000;

/// The key of what the next page is asked for with.
const TOKEN: &[u8] = b"NextToken";

/// What the SDK says of an entry that it cannot read.
fn reason(error: &OrchestratorError<Error>) -> String {
    let mut last: &dyn StdError = match error.as_operation_error() {
        Some(error) => error,
        None => error,
    };
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// Where an answer is put, since the SDK has no place for one that is not read.
type Slot = Arc<Mutex<Option<Answer>>>;

/// Keeps the answer to one request as it came, up to a bound.
#[derive(Debug, Clone)]
pub(super) struct Keep {
    operation: Operation,
    most: usize,
    slot: Slot,
}

impl Keep {
    pub(super) fn new(operation: &Operation, most: usize) -> Self {
        Self {
            operation: operation.clone(),
            most,
            slot: Slot::default(),
        }
    }

    /// Takes the answer, once the request has succeeded.
    pub(super) fn answer(&self) -> Answer {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take()
            .unwrap_or_else(|| Answer::empty(&self.operation))
    }
}

impl Intercept for Keep {
    fn name(&self) -> &'static str {
        "Keep"
    }

    fn modify_before_transmit(
        &self,
        _context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reader = SharedResponseDeserializer::new(self.clone());
        config.interceptor_state().store_put(reader);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let most = if response.status().is_success() {
            self.most
        } else {
            REFUSAL
        };
        let length = response.headers().get("content-length");
        let announced = length.and_then(|length| length.parse::<usize>().ok());
        // What is announced as too large is not even begun.
        let most = if announced > Some(most) { 0 } else { most };
        let body = response.take_body();
        *response.body_mut() = SdkBody::from_body_1_x(Limited::new(body, most));
        Ok(())
    }
}

impl DeserializeResponse for Keep {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        if !response.status().is_success() {
            return self.operation.read(response, config);
        }
        let (answer, rest) = response
            .body()
            .try_clone()
            .and_then(|body| Answer::cut(body, &self.operation))
            // The SDK says that it is none, without reading what may be much.
            .map_or_else(|| (None, b"<".to_vec()), |(answer, rest)| (Some(answer), rest));
        let rest = HttpResponse::new(response.status(), SdkBody::from(rest));
        let output = self.operation.read(&rest, config)?;
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        Ok(output)
    }
}

/// Tells whether an answer was not read because it is too large.
pub(super) fn is_too_large(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An answer as it came, whose entries are not read yet.
#[derive(Debug)]
pub(super) struct Answer {
    operation: Operation,
    body: SdkBody,
    /// Where the entries are, with what is around them.
    held: Range<usize>,
    /// How many entries there are.
    pub(super) rows: usize,
    /// Where the first of them are, so that a page as Glue sends it is not searched twice.
    places: Vec<Range<usize>>,
}

impl Answer {
    fn empty(operation: &Operation) -> Self {
        Self {
            operation: operation.clone(),
            body: SdkBody::empty(),
            held: 0..0,
            rows: 0,
            places: Vec::new(),
        }
    }

    /// Takes the entries out of an answer; the token of the next page is for the SDK, and nothing else. `None` when it
    /// is no answer of Glue's, which has each key once.
    fn cut(body: SdkBody, operation: &Operation) -> Option<(Self, Vec<u8>)> {
        let text = body.bytes()?;
        let (mut held, mut token) = (None, None);
        let (mut rows, mut places) = (0, Vec::new());
        let mut members = scan::members(text);
        while let Some(key) = members.next_key() {
            let name = scan::name_of(key.ok()?)?;
            let is_list = operation.lists && *name == *operation.key.as_bytes();
            let value = if is_list {
                members.enter(|place| {
                    rows += 1;
                    if places.len() < PLACES {
                        places.push(place);
                    }
                })
            } else {
                members.pass()
            };
            let value = value.ok()?;
            let found = match &*name {
                name if name == operation.key.as_bytes() => &mut held,
                TOKEN => &mut token,
                _ => continue,
            };
            if found.replace(value).is_some() {
                return None;
            }
        }
        let held = held.unwrap_or(0..0);
        match text.get(held.clone())? {
            b"" | b"null" => {}
            _ if !operation.lists => rows = 1,
            [b'[', ..] => {}
            _ => return None,
        }
        let rest = match token {
            Some(token) => [br#"{"NextToken":"#, text.get(token)?, b"}"].concat(),
            None => b"{}".to_vec(),
        };
        let answer = Self {
            operation: operation.clone(),
            held,
            rows,
            places,
            body,
        };
        Some((answer, rest))
    }

    /// How many bytes it has.
    pub(super) fn size(&self) -> usize {
        self.bytes().len()
    }

    fn bytes(&self) -> &[u8] {
        self.body.bytes().unwrap_or_default()
    }

    /// As many entries, from the given one on, as have so many bytes together.
    pub(super) fn neighbours(&self, first: usize, bytes: usize) -> Neighbours<'_> {
        let places = self.places.get(first..).unwrap_or_default();
        let start = places.first().map_or(0, |place| place.start);
        let count = places.partition_point(|place| place.end - start <= bytes);
        let end = places.get(..count).and_then(<[_]>::last);
        let end = end.map_or(start, |place| place.end);
        Neighbours {
            operation: &self.operation,
            text: self.bytes().get(start..end).unwrap_or_default(),
            count,
        }
    }

    /// The entries, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry<'_>> + Send {
        let text = self.bytes();
        let begins = self.held.start;
        let is_kept = self.rows <= self.places.len();
        let all = if is_kept { 0..0 } else { self.held.clone() };
        let rest = scan::elements(text.get(all).unwrap_or_default()).flatten();
        let rest = rest.map(move |place| begins + place.start..begins + place.end);
        let one = (!self.operation.lists).then(|| self.held.clone());
        let places = self.places.iter().cloned();
        let places = places.chain(rest.skip(self.places.len())).chain(one);
        places.take(self.rows).map(move |place| Entry {
            operation: &self.operation,
            text: text.get(place).unwrap_or_default(),
        })
    }
}

/// Neighbours in an answer, not read yet.
#[derive(Debug)]
pub(super) struct Neighbours<'a> {
    operation: &'a Operation,
    text: &'a [u8],
    pub(super) count: usize,
}

impl Neighbours<'_> {
    /// Reads them as tables; none when there is but one, or one of them cannot be read.
    pub(super) fn tables(&self) -> Option<Vec<Table>> {
        (self.count > 1).then_some(())?;
        let output: GetTablesOutput = self.operation.read_alone(self.text).ok()?;
        output
            .table_list
            .filter(|tables| tables.len() == self.count)
    }
}

/// One database or table of an answer, not read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    operation: &'a Operation,
    text: &'a [u8],
}

impl Entry<'_> {
    /// How many bytes it has.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }

    /// How many marks it has that begin or part something; every column has several.
    pub(super) fn parts(&self) -> usize {
        let is_mark = |byte: &u8| u8::from(matches!(byte, b',' | b':' | b'{' | b'['));
        // So many fit into a byte, and many bytes are added at once.
        let pieces = self.text.chunks(usize::from(u8::MAX));
        pieces
            .map(|piece| usize::from(piece.iter().map(is_mark).sum::<u8>()))
            .sum()
    }

    pub(super) fn is_null(&self) -> bool {
        self.text == b"null"
    }

    /// The name in it, as far as it can be read; none when there is none.
    pub(super) fn name(&self) -> Option<String> {
        let members = scan::members(self.text).flatten();
        let is_name = |key| scan::name_of(key).is_some_and(|name| *name == *b"Name");
        let name = members.filter(|(key, _)| is_name(key)).last()?;
        let quoted = self.text.get(name.1)?;
        let inside = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let name = serde_json::from_slice(quoted)
            .unwrap_or_else(|_| String::from_utf8_lossy(inside).into_owned());
        (!name.is_empty()).then_some(name)
    }

    /// Reads it as a database; the error says what is wrong with it.
    pub(super) fn database(&self) -> Result<Database, String> {
        let output: GetDatabasesOutput = self.operation.read_alone(self.text)?;
        only(output.database_list)
    }

    /// Reads it as a table; the error says what is wrong with it.
    pub(super) fn table(&self) -> Result<Box<Table>, String> {
        if self.operation.lists {
            let output: GetTablesOutput = self.operation.read_alone(self.text)?;
            return only(output.table_list.unwrap_or_default()).map(Box::new);
        }
        let output: GetTableOutput = self.operation.read_alone(self.text)?;
        let table = output.table.map(Box::new);
        table.ok_or_else(|| "there is nothing".to_owned())
    }
}

fn only<T>(list: Vec<T>) -> Result<T, String> {
    match <[T; 1]>::try_from(list) {
        Ok([one]) => Ok(one),
        Err(several) => Err(format!("it is {} entries", several.len())),
    }
}
