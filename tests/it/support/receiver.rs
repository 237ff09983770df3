//! A server that answers everything with an empty 200 and keeps what it was sent: a collector, or whatever is asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What came in one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(given, _)| given == name);
        header.map_or("", |(_, text)| text.as_str())
    }

    pub(crate) fn has(&self, words: &[u8]) -> bool {
        self.body.windows(words.len()).any(|part| part == words)
    }
}

/// Receives until it is dropped.
pub(crate) struct Receiver {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer_all(connection, Arc::clone(&kept)));
            }
        });
        Self {
            url,
            received,
            task,
        }
    }

    /// Everything so far, in the order in which it came.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer_all(connection: TcpStream, kept: Arc<Mutex<Vec<Received>>>) {
    let mut connection = BufReader::new(connection);
    while let Some(received) = read(&mut connection).await {
        kept.lock().unwrap().push(received);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        if connection.write_all(answer).await.is_err() {
            return;
        }
    }
}

async fn read(connection: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut received = Received {
        path: line(connection).await?.split(' ').nth(1)?.to_owned(),
        ..Received::default()
    };
    loop {
        let text = line(connection).await?;
        let Some((name, text)) = text.split_once(':') else {
            break;
        };
        received
            .headers
            .push((name.to_ascii_lowercase(), text.trim().to_owned()));
    }
    let length = received.header("content-length").parse().unwrap_or(0);
    received.body.resize(length, 0);
    connection.read_exact(&mut received.body).await.ok()?;
    Some(received)
}

async fn line(connection: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = connection.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}
