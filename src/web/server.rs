//! Listening, serving, stopping.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer, middleware as actix};
use tokio::sync::Notify;

use super::access::Access;
use super::client::Trust;
use super::health::{self, SlowestIndex};
use super::limits::{self, LONGEST_BODY, Patience};
use super::middleware;
use super::options::Options;
use super::origin_check::{self, OriginCheck};
use super::prefix::{self, Prefix};
use super::rate::Rate;
use super::routes;
use super::statics::Statics;
use super::view::Templates;
use crate::auth::sessions;
use crate::config::PublicUrl;
use crate::db::Db;
use crate::error::{Explain, Kind};
use crate::ingest::Runner;
use crate::search::Index;
use crate::telemetry::Numbers;

/// How long answers that have begun may go on once the server is told to stop.
const LAST_WORDS: u64 = 10;

/// How long a client may take to agree on TLS.
const SLOWEST_HANDSHAKE: Duration = Duration::from_secs(5);

/// How many connections each thread keeps; more wait until some end.
const MOST_CONNECTIONS: usize = 2_000;

/// What the handlers use.
#[derive(Debug, Clone)]
pub struct Parts {
    pub db: Db,
    pub index: Index,
    pub runner: Runner,
    pub access: Access,
    /// Told when something was written to the catalog.
    pub written: Arc<Notify>,
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

    /// The whole address of a page for whoever it is sent to: under the public address, or else on this machine.
    pub fn page(&self, options: &Options, path: &str) -> String {
        match &options.public_url {
            Some(url) => url.page(path),
            None => format!("{}{path}", self.url(options).trim_end_matches('/')),
        }
    }

    /// What to type into a browser on this machine.
    pub fn url(&self, options: &Options) -> String {
        let (scheme, port) = (options.scheme(), self.address.port());
        let prefix = options.public_url.as_ref().map_or("", PublicUrl::prefix);
        if self.address.ip().is_unspecified() {
            format!("{scheme}://localhost:{port}{prefix}/")
        } else {
            format!("{scheme}://{}{prefix}/", self.address)
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
    let measuring = health::keep_measuring(parts.db.clone(), parts.index.clone());
    let measuring = tokio::spawn(measuring);
    let forgetting = tokio::spawn(sessions::keep_forgetting(parts.db.clone()));
    let served = build(parts, listener, options, numbers, shutdown)?.await;
    keeping.abort();
    measuring.abort();
    forgetting.abort();
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
    let prefix = Prefix::of(options.public_url.as_ref()).map_err(Error::TakenPath)?;
    let prefix = Data::new(prefix);
    let origin_check = Data::new(OriginCheck::new(address, options.public_url.clone()));
    let rate = Data::new(Rate::new(options.rate_limit));
    let patience = Data::new(Patience(options.slowest_body));
    let slowest_index = Data::new(SlowestIndex(options.slowest_index));
    let trust = Data::new(Trust {
        proxies: options.trusted_proxies,
        tls: options.tls.is_some(),
        public_url: options.public_url,
    });
    let db = Data::new(parts.db);
    let index = Data::new(parts.index);
    let runner = Data::new(parts.runner);
    let access = Data::new(parts.access);
    let written = Data::from(parts.written);

    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&numbers))
            .app_data(Data::clone(&statics))
            .app_data(Data::clone(&templates))
            .app_data(Data::clone(&origin_check))
            .app_data(Data::clone(&prefix))
            .app_data(Data::clone(&rate))
            .app_data(Data::clone(&patience))
            .app_data(Data::clone(&trust))
            .app_data(Data::clone(&slowest_index))
            .app_data(Data::clone(&db))
            .app_data(Data::clone(&index))
            .app_data(Data::clone(&runner))
            .app_data(Data::clone(&access))
            .app_data(Data::clone(&written))
            .app_data(web::PayloadConfig::new(LONGEST_BODY))
            .app_data(web::FormConfig::default().limit(LONGEST_BODY))
            .app_data(web::JsonConfig::default().limit(LONGEST_BODY))
            .configure(routes::configure)
            // The last is the outermost.
            .wrap(actix::from_fn(limits::gather))
            .wrap(actix::from_fn(origin_check::admit))
            .wrap(actix::from_fn(middleware::dress))
            .wrap(actix::Compress::default())
            .wrap(actix::from_fn(middleware::watch))
            .wrap(actix::from_fn(prefix::take_off))
    });
    let server = server
        .workers(options.workers.max(1))
        // Searches keep a processor busy and use memory meanwhile: more of them at once would only wait for each other.
        .worker_max_blocking_threads(2)
        .keep_alive(options.idle)
        .client_request_timeout(options.slowest_headers)
        .tls_handshake_timeout(SLOWEST_HANDSHAKE)
        .max_connections(MOST_CONNECTIONS)
        .shutdown_timeout(LAST_WORDS)
        .disable_signals()
        .shutdown_signal(shutdown);
    let bound = match options.tls {
        Some(tls) => server.listen_rustls_0_23(socket, tls),
        None => server.listen(socket),
    };
    Ok(bound.map_err(Error::Serve)?.run())
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
    #[error("The public address has the path “{0}”, which begins as addresses of the catalog do.")]
    TakenPath(String),
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
            Self::BadAddress(..) | Self::NotAllowed(..) | Self::Bind(..) | Self::TakenPath(_) => {
                Kind::Invalid
            }
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
            Self::TakenPath(_) => Some(
                "Choose another path with GAZETTEER_PUBLIC_URL, such as https://host.example/catalog.",
            ),
            Self::Template(_) | Self::Serve(_) => None,
        }
    }
}
