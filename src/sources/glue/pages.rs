//! Asking for pages of one kind, with room in memory for them: many small ones at once, of large ones few.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::client::{Failure, Page};
use crate::sources::room::Room;

/// How much room pages have together, in bytes, about.
const ALL: usize = 32 << 20;

/// While an answer comes it is in memory twice: in pieces, and whole.
const COMING: usize = 2;

/// The pages of one kind in one reading.
#[derive(Debug)]
pub(super) struct Pages {
    room: Room,
    /// How large a page may be, in bytes.
    allowed: usize,
    /// The largest page that came, in bytes; 0 before there was one.
    largest: AtomicUsize,
}

impl Pages {
    pub(super) fn new(allowed: usize) -> Self {
        Self {
            room: Room::of(ALL),
            allowed,
            largest: AtomicUsize::new(0),
        }
    }

    /// Asks for a page when there is room for one like those before; while its answer is too large, for one with fewer
    /// rows.
    pub(super) async fn read<F>(
        &self,
        rows: &mut i32,
        ask: impl Fn(i32) -> F,
    ) -> Result<Page, Failure>
    where
        F: Future<Output = Result<Page, Failure>>,
    {
        let likely = match self.largest.load(Ordering::Relaxed) {
            0 => self.allowed,
            largest => largest,
        };
        let mut held = self.room.wait(likely.saturating_mul(COMING)).await;
        loop {
            match ask(*rows).await {
                Err(failure) if failure.too_large && *rows > 1 => *rows = (*rows / 10).max(1),
                Err(failure) => return Err(failure),
                Ok(mut page) => {
                    let size = page.answer.size();
                    self.largest.fetch_max(size, Ordering::Relaxed);
                    held.keep(size);
                    page.held = held;
                    return Ok(page);
                }
            }
        }
    }
}
