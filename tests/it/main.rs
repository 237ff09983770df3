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
mod api_bodies;
mod api_docs;

mod architecture;
mod audit;
mod changes;
mod commands;
mod cost;
mod crash;
mod demo;
mod demo_endpoint;
mod editing;
mod findings;
mod forms;
mod glue_faults;
mod glue_server;
mod glue_shapes;
mod glue_translate;
mod history;
mod in_place;
mod index_damage;
mod index_freshness;
mod ingest;
mod kept_out;
mod migrations;
mod nested_catalogs;
mod pasted_text;
mod operating_pages;
mod people;
mod offers;
mod oidc_claims;
mod permissions;
mod prefix;
mod recipes;
mod requests;
mod restricted;
mod revising;
mod runs;
mod scheduler;
mod search_demo;
mod search_index;
mod search_layers;
mod search_reasons;
mod signing_in;
mod signs;
mod storage;
mod support;
mod web_api;
mod telemetry;
mod web_basics;
mod web_security;
