//! Work that keeps a processor busy, such as comparing long texts: few pieces of it at a time, on threads of their own.
//!
//! Threads that answer requests never do it, so that whoever asks for little never waits for it. Its memory is bounded as
//! its number is.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::error::{Explain, Kind};

/// How long one piece of work waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Does the work, in the order in which it comes.
#[derive(Debug, Clone)]
pub struct Apart {
    turns: Arc<Semaphore>,
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
            patience: PATIENCE,
            threads: Handle::current(),
        }
    }

    /// Does one piece of work; refuses it when others keep it waiting for too long. A panic in it is the caller's.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = tokio::time::timeout(self.patience, turn).await else {
            return Err(Busy);
        };
        let working = self.threads.spawn_blocking(move || {
            let done = work();
            drop(turn);
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

        drop(sender);
        for work in begun {
            assert_eq!(work.await.unwrap(), Ok(true));
        }
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
