//! Room in memory for what was read and is not written yet, so that a source cannot fill it.
//!
//! What is read takes room by how much it is likely to need, before it is read, and gives it back when it has been
//! written. Whoever finds no room waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much room one reading has, in bytes, about.
const ALL: usize = 32 << 20;

/// Room is given back every few seconds. Where it is not, those who hold it wait for each other, and one goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// The room of one reading.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// Room that is taken; it is given back when this goes away.
#[derive(Debug, Default)]
pub struct Held(Option<OwnedSemaphorePermit>);

impl Room {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ALL)))
    }

    /// Takes room, if there is some.
    pub(super) fn try_take(&self, bytes: usize) -> Option<Held> {
        let permit = Arc::clone(&self.0).try_acquire_many_owned(permits(bytes));
        permit.ok().map(|permit| Held(Some(permit)))
    }

    /// Waits until there is room.
    pub(super) async fn take(&self, bytes: usize) -> Held {
        let permit = Arc::clone(&self.0).acquire_many_owned(permits(bytes));
        match tokio::time::timeout(PATIENCE, permit).await {
            Ok(Ok(permit)) => Held(Some(permit)),
            Ok(Err(_)) | Err(_) => Held(None),
        }
    }
}

/// What needs more than all takes all.
fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.min(ALL)).unwrap_or(u32::MAX)
}

impl Held {
    /// How much it is, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Adds more of the same room.
    pub(super) fn add(&mut self, more: Self) {
        match (&mut self.0, more.0) {
            (Some(held), Some(more)) => held.merge(more),
            (held @ None, more) => *held = more,
            (Some(_), None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_back_with_what_was_read() {
        let room = Room::new();
        let mut held = room.try_take(ALL - 10).unwrap();
        held.add(room.try_take(10).unwrap());

        assert_eq!(held.bytes(), ALL);
        assert!(room.try_take(1).is_none());
        drop(held);
        assert_eq!(room.try_take(usize::MAX).unwrap().bytes(), ALL);
    }
}
