//! One file per table. Entities hold primitives and never leave the `store.rs` files.

#![expect(unreachable_pub, reason = "the derive needs its items to be public")]

pub(crate) mod alias;
pub(crate) mod asset;
pub(crate) mod change;
pub(crate) mod change_head;
pub(crate) mod column_note;
pub(crate) mod finding;
pub(crate) mod listing;
pub(crate) mod run;
