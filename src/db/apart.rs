//! Work that keeps a processor busy, such as comparing long texts: few pieces of it at a time, on threads of their own.
//!
//! Threads that answer requests never do it, so that whoever asks for little never waits for it. Its memory is bounded as
//! its number is.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Explain, Kind};

/// How long one piece of work waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long work does that can be left out.
const GLANCE: Duration = Duration::from_millis(500);

/// How many may wait for their turn at once, with what they hold.
const MOST_WAITING: usize = 64;

/// Does the work, in the order in which it comes.
#[derive(Debug, Clone)]
pub struct Apart {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    patience: Duration,
    /// Whose threads do it: those of the program, not those of the web server's workers.
    threads: Handle,
}

impl Apart {
    /// Leaves half of the processors to everything else.
    pub(super) fn start() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new((processors / 2).max(1))),
            places: Arc::new(Semaphore::new(MOST_WAITING)),
            patience: PATIENCE,
            threads: Handle::current(),
        }
    }

    /// Does one piece of work; refuses it when others keep it waiting for too long. A panic in it is the caller's.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        self.turn().await?.run(work).await
    }

    /// Does one piece of work that can be left out, unless others keep it waiting.
    pub async fn run_soon<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = self.turn_within(GLANCE).await.ok()?;
        turn.run(work).await.ok()
    }

    /// Waits for the turn of one piece of work, which is better read behind this: what waits holds nothing then.
    pub async fn turn(&self) -> Result<Turn, Busy> {
        self.turn_within(self.patience).await
    }

    async fn turn_within(&self, patience: Duration) -> Result<Turn, Busy> {
        let _place = self.places.try_acquire().map_err(|_full| Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned();
        match tokio::time::timeout(patience, turn).await {
            Ok(Ok(permit)) => Ok(Turn {
                permit,
                threads: self.threads.clone(),
            }),
            _ => Err(Busy),
        }
    }
}

/// The turn of one piece of work.
#[derive(Debug)]
pub struct Turn {
    permit: OwnedSemaphorePermit,
    threads: Handle,
}

impl Turn {
    /// Does the work and gives the turn back. A panic in it is the caller's.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let Self { permit, threads } = self;
        let working = threads.spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        match working.await {
            Ok(done) => Ok(done),
            Err(cause) => match cause.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The program ends.
                Err(_) => Err(Busy),
            },
        }
    }
}

/// Others ask for so much that it was not done in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many large texts are being worked on at once.")]
pub struct Busy;

impl Explain for Busy {
    fn kind(&self) -> Kind {
        Kind::TooMany
    }

    fn hint(&self) -> Option<&'static str> {
        Some("Wait 5 seconds and try again.")
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_beyond_the_turns_waits_and_is_refused_in_the_end() {
        let apart = Apart {
            patience: Duration::from_millis(10),
            ..Apart::start()
        };
        let turns = apart.turns.available_permits();
        let (sender, receiver) = mpsc::channel::<()>();
        let receiver = Arc::new(std::sync::Mutex::new(receiver));
        let begun: Vec<_> = (0..turns)
            .map(|_| {
                let (apart, receiver) = (apart.clone(), Arc::clone(&receiver));
                let waits = move || receiver.lock().unwrap().recv().is_err();
                tokio::spawn(async move { apart.run(waits).await })
            })
            .collect();
        while apart.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }

        assert_eq!(apart.run(|| ()).await, Err(Busy));
        assert_eq!(apart.run_soon(|| ()).await, None);

        drop(sender);
        for work in begun {
            assert_eq!(work.await.unwrap(), Ok(true));
        }
        assert_eq!(apart.run(|| 1).await, Ok(1));
    }

    #[tokio::test]
    async fn only_so_many_wait() {
        let apart = Apart::start();
        let places = apart.places.available_permits();
        let full = apart
            .places
            .try_acquire_many(u32::try_from(places).unwrap());

        assert_eq!(apart.run(|| ()).await, Err(Busy));

        drop(full);
        assert_eq!(apart.run(|| 1).await, Ok(1));
    }

    #[tokio::test]
    async fn a_panic_gives_its_turn_back() {
        let apart = Apart::start();
        for _ in 0..20 {
            let one = apart.clone();
            let broken = tokio::spawn(async move { one.run(|| panic!("a defect")).await });
            assert!(broken.await.unwrap_err().is_panic());
        }
        assert_eq!(apart.run(|| 1).await, Ok(1));
    }
}
