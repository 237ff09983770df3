//! The tests that go through the front door, in one binary.

mod architecture;
mod demo_endpoint;
mod ingest;
mod recipes;
mod support;
