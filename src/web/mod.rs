//! Pages for people and JSON for programs.
//!
//! A request is admitted (`middleware`), finds its handler in the site map (`routes`), and is answered with a view
//! (`pages`, rendered by `view`) or a JSON shape (`api`). Whatever fails becomes a [`failure::Failure`], the one place
//! that knows status numbers. Deliberately absent: queries and rules. They belong to the modules above this one.

mod access;
mod api;
mod failure;
mod health;
pub mod links;
mod middleware;
mod pages;
mod parameters;
mod request;
pub mod routes;
mod searching;
mod server;
mod starting;
mod statics;
mod text;
mod view;

pub use access::Access;
pub use server::{Error, Listener, Options, Parts, serve};
