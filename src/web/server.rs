//! Listening, serving, stopping.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer, middleware as actix};

use super::access::Access;
use super::middleware;
use super::routes;
use super::statics::Statics;
use super::view::Templates;
use crate::db::Db;
use crate::error::{Explain, Kind};
use crate::ingest::Runner;
use crate::search::Index;
use crate::telemetry::Numbers;

/// How long a client may take to send its headers.
const SLOWEST_HEADERS: Duration = Duration::from_secs(10);

/// How long answers that have begun may go on once the server is told to stop.
const LAST_WORDS: u64 = 10;

/// No request body is longer than this; a form with a long text in it fits.
pub(super) const LONGEST_BODY: usize = 1024 * 1024;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct Parts {
    pub db: Db,
    pub index: Index,
    pub runner: Runner,
    pub access: Access,
}

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many threads answer requests.
    pub workers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { workers: 2 }
    }
}

/// A port that is already ours, though nobody answers there yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes an address such as `127.0.0.1:8080`; port 0 takes any free one.
    pub fn bind(listen: &str) -> Result<Self, Error> {
        let refused = |cause: io::Error| Error::from_binding(listen, cause);
        let addresses: Vec<SocketAddr> = listen.to_socket_addrs().map_err(refused)?.collect();
        let socket = TcpListener::bind(addresses.as_slice()).map_err(refused)?;
        let address = socket.local_addr().map_err(refused)?;
        Ok(Self { socket, address })
    }

    /// The real address, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to type into a browser on this machine.
    pub fn url(&self) -> String {
        let port = self.address.port();
        if self.address.ip().is_unspecified() {
            format!("http://localhost:{port}/")
        } else {
            format!("http://{}/", self.address)
        }
    }
}

/// Serves until `shutdown` is done and the answers that had begun are out.
pub async fn serve(
    parts: Parts,
    listener: Listener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let numbers = Numbers::start();
    let keeping = tokio::spawn(numbers.clone().keep());
    let served = build(parts, listener, options, numbers, shutdown)?.await;
    keeping.abort();
    served.map_err(Error::Serve)
}

fn build(
    parts: Parts,
    listener: Listener,
    options: Options,
    numbers: Numbers,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Server, Error> {
    let Listener { socket, address } = listener;
    let numbers = Data::new(numbers);
    let statics = Data::new(Statics::load());
    let templates = Data::new(Templates::load(&statics)?);
    let door = Data::new(middleware::Door::listening_on(address));
    let db = Data::new(parts.db);
    let index = Data::new(parts.index);
    let runner = Data::new(parts.runner);
    let access = Data::new(parts.access);

    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&numbers))
            .app_data(Data::clone(&statics))
            .app_data(Data::clone(&templates))
            .app_data(Data::clone(&door))
            .app_data(Data::clone(&db))
            .app_data(Data::clone(&index))
            .app_data(Data::clone(&runner))
            .app_data(Data::clone(&access))
            .app_data(web::PayloadConfig::new(LONGEST_BODY))
            .app_data(web::FormConfig::default().limit(LONGEST_BODY))
            .app_data(web::JsonConfig::default().limit(LONGEST_BODY))
            .configure(routes::configure)
            // The last is the outermost.
            .wrap(actix::from_fn(middleware::admit))
            .wrap(actix::from_fn(middleware::dress))
            .wrap(actix::Compress::default())
            .wrap(actix::from_fn(middleware::watch))
    });
    Ok(server
        .workers(options.workers.max(1))
        // Searches keep a processor busy and use memory meanwhile: more of them at once would only wait for each other.
        .worker_max_blocking_threads(2)
        .client_request_timeout(SLOWEST_HEADERS)
        .shutdown_timeout(LAST_WORDS)
        .disable_signals()
        .shutdown_signal(shutdown)
        .listen(socket)
        .map_err(Error::Serve)?
        .run())
}

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("“{0}” is not an address to listen on.")]
    BadAddress(String, #[source] io::Error),
    #[error("Another program is already listening on {0}.")]
    Taken(String, #[source] io::Error),
    #[error("Listening on {0} is not allowed.")]
    NotAllowed(String, #[source] io::Error),
    #[error("Listening on {0} is not possible.")]
    Bind(String, #[source] io::Error),
    #[error("A page template cannot be read.")]
    Template(#[source] Box<handlebars::TemplateError>),
    #[error("The web server stopped.")]
    Serve(#[source] io::Error),
}

impl Error {
    fn from_binding(listen: &str, cause: io::Error) -> Self {
        let listen = listen.to_owned();
        match cause.kind() {
            io::ErrorKind::AddrInUse => Self::Taken(listen, cause),
            io::ErrorKind::PermissionDenied => Self::NotAllowed(listen, cause),
            io::ErrorKind::InvalidInput => Self::BadAddress(listen, cause),
            _ => Self::Bind(listen, cause),
        }
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::BadAddress(..) | Self::NotAllowed(..) | Self::Bind(..) => Kind::Invalid,
            Self::Taken(..) => Kind::Conflict,
            Self::Template(_) | Self::Serve(_) => Kind::Internal,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::BadAddress(..) => {
                Some("Set GAZETTEER_LISTEN to an address and a port, such as 127.0.0.1:8080.")
            }
            Self::Taken(..) => Some(
                "Stop the other program, or choose another port with GAZETTEER_LISTEN, such as 127.0.0.1:8081.",
            ),
            Self::NotAllowed(..) => {
                Some("Choose a port above 1023 with GAZETTEER_LISTEN, such as 127.0.0.1:8080.")
            }
            Self::Bind(..) => Some(
                "Choose an address of this machine with GAZETTEER_LISTEN; 0.0.0.0 means all of them.",
            ),
            Self::Template(_) | Self::Serve(_) => None,
        }
    }
}
