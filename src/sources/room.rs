//! Room in memory for what was read and is not written yet, so that a source cannot fill it.
//!
//! What is read takes room by how much it is likely to need, before it is read, and gives it back when it has been
//! written. Whoever finds no room waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room is given back with every transaction. Where it is not for so long, those who hold it may wait for each other, and
/// one goes on.
const PATIENCE: Duration = Duration::from_secs(30);

/// The room of one reading, or of one part of it.
#[derive(Debug)]
pub(super) struct Room {
    all: usize,
    left: Arc<Semaphore>,
}

/// Room that is taken; it is given back when this goes away.
#[derive(Debug, Default)]
pub struct Held(Option<OwnedSemaphorePermit>);

impl Room {
    /// As much room as so many bytes, about.
    pub(super) fn of(all: usize) -> Self {
        let left = Arc::new(Semaphore::new(all));
        Self { all, left }
    }

    /// Takes room, if there is some.
    pub(super) fn try_take(&self, bytes: usize) -> Option<Held> {
        let permit = Arc::clone(&self.left).try_acquire_many_owned(self.permits(bytes));
        permit.ok().map(|permit| Held(Some(permit)))
    }

    /// Waits until there is room, for those who hold none.
    pub(super) async fn wait(&self, bytes: usize) -> Held {
        let permit = Arc::clone(&self.left).acquire_many_owned(self.permits(bytes));
        Held(permit.await.ok())
    }

    /// Waits until there is room, for those who may hold some of it.
    pub(super) async fn take(&self, bytes: usize) -> Held {
        let room = tokio::time::timeout(PATIENCE, self.wait(bytes));
        room.await.unwrap_or_default()
    }

    /// What needs more than all takes all.
    fn permits(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.min(self.all)).unwrap_or(u32::MAX)
    }
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

    /// Gives back what is held beyond so many bytes.
    pub(super) fn keep(&mut self, bytes: usize) {
        if let Some(held) = &mut self.0 {
            drop(held.split(held.num_permits().saturating_sub(bytes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: usize = 1_000;

    #[test]
    fn room_is_given_back_with_what_was_read() {
        let room = Room::of(ALL);
        let mut held = room.try_take(ALL - 10).unwrap();
        held.add(room.try_take(10).unwrap());

        assert_eq!(held.bytes(), ALL);
        assert!(room.try_take(1).is_none());
        held.keep(400);
        assert_eq!(held.bytes(), 400);
        assert_eq!(room.try_take(600).unwrap().bytes(), 600);
        drop(held);
        assert_eq!(room.try_take(usize::MAX).unwrap().bytes(), ALL);
    }
}
