//! One file per table. Entities hold primitives and never leave the `store.rs` files.

#![expect(unreachable_pub, reason = "the derive needs its items to be public")]

pub(crate) mod account;
pub(crate) mod admission;
pub(crate) mod alias;
pub(crate) mod aspect;
pub(crate) mod asset;
pub(crate) mod attempt;
pub(crate) mod browser_key;
pub(crate) mod change;
pub(crate) mod change_group;
pub(crate) mod change_head;
pub(crate) mod change_place;
pub(crate) mod directory_sign_in;
pub(crate) mod finding;
pub(crate) mod handshake;
pub(crate) mod identity;
pub(crate) mod link;
pub(crate) mod listing;
pub(crate) mod membership;
pub(crate) mod reference;
pub(crate) mod refused_sign_in;
pub(crate) mod request;
pub(crate) mod run;
pub(crate) mod scope;
pub(crate) mod session;
pub(crate) mod stewardship;
pub(crate) mod team;
pub(crate) mod token;
pub(crate) mod visibility;
