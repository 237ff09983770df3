//! Logs and numbers: how a running catalog tells what it does.

mod logs;

pub use logs::{BadFilter, Format, init};
