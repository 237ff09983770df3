//! Pages for people and JSON for programs.
//!
//! A request is admitted (`origin_check`, `limits`), finds its handler in the site map (`routes`), and is answered with a view
//! (`pages`, rendered by `view`) or a JSON shape (`api`). Whatever fails becomes a [`failure::Failure`], the one place
//! that knows status numbers. Deliberately absent: queries and rules. They belong to the modules above this one.

mod access;
mod api;
mod aspects;
mod auditing;
mod change_filter;
mod client;
mod failure;
mod footnotes;
mod forms;
mod health;
mod limits;
pub mod links;
mod markdown;
mod middleware;
mod options;
mod origin_check;
mod pages;
mod parameters;
mod prefix;
mod rate;
mod reads;
mod request;
pub mod routes;
mod safety;
mod saving;
mod searching;
mod server;
mod starting;
mod statics;
mod text;
mod view;

pub use access::{Access, Demo, Unfinished};
pub use options::Options;
pub use server::{Error, Listener, Parts, serve};
