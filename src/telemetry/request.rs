//! The id of the request, or of the run, on whose behalf something happens.
//!
//! It goes along with the work by itself, except where that is handed to another task or thread: there [`carried`] and
//! [`carrying`] take it over. Every line of the log has it, the change log may ask for it, and calls to other systems
//! send it along.

use std::future::Future;
use std::sync::Arc;

use uuid::Uuid;

/// The header in which a request id comes and goes.
pub const HEADER: &str = "x-request-id";

tokio::task_local! {
    static CURRENT: Arc<str>;
}

/// The id of what is being done, if it is done on behalf of a request or a run.
pub fn current() -> Option<Arc<str>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// An id for what nobody has given one.
pub fn fresh() -> Arc<str> {
    Uuid::now_v7().to_string().into()
}

/// Tells whether a text may be an id: nothing in it means anything to a log, a page or a header.
pub fn looks_like_id(text: &str) -> bool {
    (8..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Does something on behalf of a request.
pub async fn within<F: Future>(id: Arc<str>, work: F) -> F::Output {
    CURRENT.scope(id, work).await
}

/// The same work, which keeps the present id wherever it is done.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let id = current();
    async move {
        match id {
            Some(id) => within(id, work).await,
            None => work.await,
        }
    }
}

/// The same work for a thread that may block, which keeps the present id there.
pub fn carrying<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let id = current();
    move || match id {
        Some(id) => CURRENT.sync_scope(id, work),
        None => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_plain_and_neither_short_nor_endless() {
        for good in ["abcdefgh", "4bf92f35-77b3.4da6_a3", &"x".repeat(128)] {
            assert!(looks_like_id(good), "{good}");
        }
        for bad in [
            "",
            "short",
            "has a space in it",
            "new\nline-in-it",
            "<script>alert",
            &"x".repeat(129),
        ] {
            assert!(!looks_like_id(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn the_id_goes_along_and_is_taken_over() {
        assert_eq!(current(), None);
        within("request-1".into(), async {
            assert_eq!(current().as_deref(), Some("request-1"));
            let task = tokio::spawn(carried(async { current() }));
            assert_eq!(task.await.unwrap().as_deref(), Some("request-1"));
            let thread = tokio::task::spawn_blocking(carrying(current));
            assert_eq!(thread.await.unwrap().as_deref(), Some("request-1"));
        })
        .await;
        assert_eq!(current(), None);
    }
}
