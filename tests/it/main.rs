//! The tests that go through the front door, in one binary.

mod architecture;
mod demo_endpoint;
mod glue_faults;
mod glue_server;
mod glue_translate;
mod ingest;
mod recipes;
mod search_index;
mod support;
