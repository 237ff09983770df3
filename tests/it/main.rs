//! The tests that go through the front door, in one binary.

#![expect(unreachable_pub, reason = "a test binary has no outside")]
#![expect(clippy::unwrap_used, reason = "a test that meets a surprise fails")]

mod architecture;
mod crash;
mod demo_endpoint;
mod glue_faults;
mod glue_server;
mod glue_translate;
mod ingest;
mod recipes;
mod search_index;
mod support;
mod web_api;
mod web_basics;
