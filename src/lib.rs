//! Gazetteer: a data catalog and business glossary in one binary.
//!
//! The modules in reading order; each may import only those above it (`ARCHITECTURE.md` has the table, and
//! `tests/it/architecture.rs` checks it).

pub mod error; // the closed list of kinds of failure
pub mod config; // the only reader of the environment
pub mod telemetry; // logs, request ids, metrics
pub mod db; // connections, paging, the change log
pub mod auth; // who is acting and what they may do
pub mod revisions; // what people write: aspects, versions, merges, history
pub mod catalog; // assets and both of their layers
pub mod search; // the index
pub mod sources; // outside systems, turned into reports of assets
pub mod ingest; // recipes and their runs
pub mod audit; // the change log as admins read it
pub mod scheduler; // when each recipe runs
pub mod web; // pages and the JSON API
pub mod demo; // the sample world and its Glue endpoint
pub mod app; // builds everything once
pub mod cli; // one file per command
