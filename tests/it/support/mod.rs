//! What tests start from: a fresh catalog, a Glue to read, the real application.

pub mod app;
pub mod catalog;
pub mod forms;
pub mod provider;
pub mod receiver;
pub(crate) mod released;
mod template;
