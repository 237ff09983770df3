//! What becomes of a form: what it asked for, or the form again with its text kept and why it was refused.

use actix_web::Either;

use super::failure::Failure;
use super::view::{Page, Refusal};
use crate::auth::{self, scopes};
use crate::error::{Explain, Kind};

/// What a form sent, field by field.
pub(crate) type Fields = Vec<(String, String)>;

/// What a form leads to: what was asked for, or the form again.
pub(crate) type Answer<T, V> = Result<Either<T, Page<V>>, Failure>;

/// A refusal that may show the form again.
pub(crate) trait Correctable: Explain {
    /// Whether whoever filled in the form can do something about it there.
    fn can_be_corrected(&self) -> bool {
        matches!(self.kind(), Kind::Invalid | Kind::Conflict)
    }
}

impl Correctable for scopes::Error {}

impl Correctable for auth::Error {
    fn can_be_corrected(&self) -> bool {
        match self {
            Self::Denied(_) | Self::SpentLink => false,
            // There may be another way in.
            Self::Directory(_) => true,
            _ => !matches!(
                self.kind(),
                Kind::Internal | Kind::Unavailable | Kind::Storage(_)
            ),
        }
    }
}

/// Answers a form with what was done, or `again` with why it was not.
pub(crate) async fn answer<T, V, E: Correctable + 'static>(
    done: Result<T, E>,
    again: impl AsyncFnOnce(Refusal) -> Result<V, Failure>,
) -> Answer<T, V> {
    match done {
        Ok(done) => Ok(Either::Left(done)),
        Err(error) if error.can_be_corrected() => {
            let form = again(Refusal::of(&error)).await?;
            Ok(Either::Right(Page(form)))
        }
        Err(error) => Err(error.into()),
    }
}
