//! What things are called, whatever they are, as far as somebody sees them.
//!
//! Deliberately absent: everything else about them, which their own modules know.

mod store;

pub(crate) use store::{find_named, find_seen, sees_assets};
