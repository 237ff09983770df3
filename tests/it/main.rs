//! The tests that go through the front door, in one binary.

#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets a surprise fails"
)]
#![expect(
    clippy::too_many_lines,
    clippy::format_collect,
    reason = "a long expectation is read in one piece"
)]

mod account_security;
mod architecture;
mod audit;
mod commands;
mod crash;
mod demo_endpoint;
mod editing;
mod glue_faults;
mod glue_server;
mod glue_translate;
mod ingest;
mod migrations;
mod people;
mod permissions;
mod recipes;
mod restricted;
mod runs;
mod scheduler;
mod search_index;
mod signing_in;
mod support;
mod web_api;
mod telemetry;
mod web_basics;
mod web_security;
