//! A server that speaks Glue's protocol as far as the source uses it, and misbehaves on demand.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// One request, as a script sees it.
pub(crate) struct Call {
    /// `GetTables`, `AssumeRole` and so on.
    pub(crate) operation: String,
    pub(crate) body: Value,
    /// How often this very request came, this one counted.
    pub(crate) nth: usize,
    pub(crate) headers: HashMap<String, String>,
}

impl Call {
    pub(crate) fn is_tables_of(&self, database: &str) -> bool {
        self.operation == "GetTables" && self.body["DatabaseName"] == database
    }
}

/// What to answer instead of the truth.
pub(crate) enum Reply {
    Json(Value),
    Error(u16, &'static str, &'static str),
    Raw(u16, String),
    /// Closes the connection without a word.
    HangUp,
}

type Script = dyn Fn(&Call) -> Option<Reply> + Send + Sync;

/// A running server; it ends with the test.
pub(crate) struct GlueServer {
    pub(crate) url: String,
    world: Arc<World>,
}

struct World {
    databases: Vec<Value>,
    tables: Vec<Value>,
    script: Box<Script>,
    seen: Mutex<HashMap<String, usize>>,
    operations: Mutex<Vec<String>>,
}

impl GlueServer {
    /// Serves these databases and tables truthfully.
    pub(crate) fn start(databases: Vec<Value>, tables: Vec<Value>) -> Self {
        Self::scripted(databases, tables, |_| None)
    }

    /// Serves these, but for what the script answers itself.
    pub(crate) fn scripted(
        databases: Vec<Value>,
        tables: Vec<Value>,
        script: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(World {
            databases,
            tables,
            script: Box::new(script),
            seen: Mutex::default(),
            operations: Mutex::default(),
        });
        let served = Arc::clone(&world);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = Arc::clone(&served);
                std::thread::spawn(move || world.serve(stream));
            }
        });
        Self { url, world }
    }

    /// What was asked until now, in order.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.world.operations.lock().unwrap().clone()
    }
}

impl World {
    fn serve(&self, stream: TcpStream) {
        stream.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some((headers, body)) = read_request(&mut reader) {
            let Some((status, kind, text)) = self.answer(headers, &body) else {
                return;
            };
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                text.len()
            );
            if writer
                .write_all(format!("{head}{text}").as_bytes())
                .is_err()
            {
                return;
            }
        }
    }

    fn answer(&self, headers: HashMap<String, String>, body: &str) -> Option<(u16, &str, String)> {
        let target = headers.get("x-amz-target").map(String::as_str);
        let operation = match target.and_then(|target| target.split_once('.')) {
            Some((_, operation)) => operation.to_owned(),
            None => "AssumeRole".to_owned(),
        };
        let nth = {
            let mut seen = self.seen.lock().unwrap();
            let count = seen.entry(format!("{operation} {body}")).or_default();
            *count += 1;
            *count
        };
        self.operations.lock().unwrap().push(operation.clone());
        let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
        let call = Call {
            operation,
            body,
            nth,
            headers,
        };
        match (self.script)(&call) {
            Some(Reply::HangUp) => None,
            Some(Reply::Json(value)) => {
                Some((200, "application/x-amz-json-1.1", value.to_string()))
            }
            Some(Reply::Raw(status, text)) => Some((status, "text/xml", text)),
            Some(Reply::Error(status, code, message)) => {
                let error = json!({"__type": code, "Message": message});
                Some((status, "application/x-amz-json-1.1", error.to_string()))
            }
            None => Some(self.truth(&call)),
        }
    }

    fn truth(&self, call: &Call) -> (u16, &'static str, String) {
        let body = &call.body;
        let of_database = |table: &&Value| table["DatabaseName"] == body["DatabaseName"];
        let answer = match call.operation.as_str() {
            "GetDatabases" => page(self.databases.iter(), "DatabaseList", body),
            "GetTables" => page(self.tables.iter().filter(of_database), "TableList", body),
            "GetTable" => {
                let mut tables = self.tables.iter().filter(of_database);
                let Some(table) = tables.find(|table| table["Name"] == body["Name"]) else {
                    let error =
                        json!({"__type": "EntityNotFoundException", "Message": "Entity Not Found"});
                    return (400, "application/x-amz-json-1.1", error.to_string());
                };
                json!({"Table": table})
            }
            "AssumeRole" => return (200, "text/xml", assumed()),
            other => panic!("nobody taught this server {other}"),
        };
        (200, "application/x-amz-json-1.1", answer.to_string())
    }
}

/// One page of rows; tokens are offsets.
fn page<'a>(rows: impl Iterator<Item = &'a Value>, list: &str, body: &Value) -> Value {
    let offset: usize = body["NextToken"]
        .as_str()
        .map_or(0, |token| token.parse().unwrap());
    let size = usize::try_from(body["MaxResults"].as_u64().unwrap_or(100)).unwrap();
    let rest: Vec<&Value> = rows.skip(offset).take(size + 1).collect();
    let mut answer = json!({list: rest.iter().take(size).collect::<Vec<_>>()});
    if rest.len() > size {
        answer["NextToken"] = json!((offset + size).to_string());
    }
    answer
}

fn assumed() -> String {
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
     <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>role-token</SessionToken>\
     <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        .to_owned()
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(HashMap<String, String>, String)> {
    let mut headers = HashMap::new();
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 0 {
        let trimmed = line.trim_end();
        if trimmed.is_empty() {
            let length = headers
                .get("content-length")
                .map_or(0, |length: &String| length.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            return Some((headers, String::from_utf8(body).unwrap()));
        }
        if let Some((name, value)) = trimmed.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        line.clear();
    }
    None
}
