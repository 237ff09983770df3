//! The sample world of `gazetteer demo`, and the small Glue-speaking endpoint that serves it.
//!
//! The endpoint answers on a loopback port as Glue would, so that the demo and the tests go through the real client,
//! and it can be told to misbehave. Worlds come from the files in `demo-world/`, a folder like it, a corpus of JSON
//! lines, saved answers of Glue, or [`generate`]. Deliberately absent: the catalog; nothing here knows of it.

mod endpoint;
mod faults;
pub mod generate;
mod read;
mod saved;
mod database_yaml;
mod sts;
mod types;
mod world;
mod yaml;

pub use endpoint::Endpoint;
pub use faults::{EVERY_PAGE, Fault, Operation, PlannedFault};
pub use read::{Corpus, Error};
pub use sts::AssumedRole;
pub use world::World;
