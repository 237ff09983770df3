//! One file per page of the site.

pub(super) mod assets;
pub(super) mod browse;
pub(super) mod home;
pub(super) mod ingestion;
pub(super) mod search;
