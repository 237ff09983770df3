//! The tests that go through the front door, in one binary.

mod architecture;
mod crash;
mod demo_endpoint;
#[cfg(test)]
mod glue_faults;
#[cfg(test)]
mod glue_server;
#[cfg(test)]
mod glue_translate;
mod ingest;
mod recipes;
mod search_index;
mod support;
mod web_api;
mod web_basics;
