//! To be written.

use crate::web::failure::Failure;

pub(crate) async fn show() -> Result<String, Failure> {
    Err(Failure::not_found("There is no such page yet."))
}

pub(crate) async fn instance() -> Result<String, Failure> {
    Err(Failure::not_found("There is no such page yet."))
}
