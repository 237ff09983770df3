//! Logs and numbers: how a running catalog tells what it does.

mod logs;
mod numbers;

pub use logs::{BadFilter, Format, init};
pub use numbers::Numbers;
