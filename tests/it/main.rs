//! Everything that is tested through the front door, in one binary.

mod demo_endpoint;
mod glue_faults;
mod glue_server;
mod glue_translate;
