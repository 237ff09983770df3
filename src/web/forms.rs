//! What becomes of a form: what it asked for, or the form again with its text kept and why it was refused.

use actix_web::web::Bytes;
use actix_web::{Either, HttpMessage, HttpRequest};
use serde::Serialize;

use super::failure::Failure;
use super::links;
use super::parameters::Parameters;
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

/// Fields whose text nobody should see again.
const SECRET: [&str; 4] = ["password", "current", "new", "code"];

/// Fields that the page filled in for itself.
const UNSEEN: [&str; 9] = [
    "version", "was", "found", "next", "do", "username", "preview", "months", "use",
];

/// A form as it arrived, kept until it is answered.
#[derive(Debug, Clone)]
pub(super) struct Arrived(pub(super) Bytes);

/// What was typed into a form that was not taken, for the page that says so.
#[derive(Debug, Serialize)]
pub(super) struct Typed {
    /// Where it was sent.
    action: String,
    unseen: Vec<TypedField>,
    fields: Vec<TypedField>,
    /// Whether nothing was left out, so that it can be sent again.
    #[serde(skip)]
    pub(super) whole: bool,
}

#[derive(Debug, Serialize)]
struct TypedField {
    name: String,
    text: String,
}

impl Typed {
    /// What a request's form held, secrets aside; nothing where nobody had typed anything.
    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        let arrived = request.extensions().get::<Arrived>().cloned()?;
        let sent = Parameters::read(&String::from_utf8_lossy(&arrived.0));
        let is_secret = |name: &str| SECRET.contains(&name);
        let whole = !sent.filled().any(|(name, _)| is_secret(name));
        let filled = sent.filled().filter(|(name, _)| !is_secret(name));
        let filled = filled.map(|(name, text)| TypedField {
            name: name.to_owned(),
            text: text.to_owned(),
        });
        let (unseen, fields): (Vec<_>, Vec<_>) =
            filled.partition(|field| UNSEEN.contains(&field.name.as_str()));
        (!fields.is_empty()).then(|| Self {
            action: links::here(request.uri()),
            unseen,
            fields,
            whole,
        })
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
