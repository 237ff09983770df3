//! One file per page of the site.

pub(super) mod assets;
pub(super) mod audit;
pub(super) mod browse;
pub(super) mod change;
pub(super) mod change_feed;
mod change_groups;
pub(super) mod change_list;
mod changes;
pub(super) mod columns;
pub(super) mod editing;
pub(super) mod home;
pub(super) mod ingestion;
mod credentials;
pub(super) mod oidc;
mod parts;
pub(super) mod people;
pub(super) mod profile;
pub(super) mod restrictions;
mod said;
pub(super) mod search;
pub(super) mod set_up;
pub(super) mod sign_in;
pub(super) mod sign_in_check;
mod sql;
pub(super) mod teams;
