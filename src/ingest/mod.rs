//! To be written.

pub mod recipe;
