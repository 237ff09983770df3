//! Whether the index keeps up with the catalog.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// Since when changes are missing from the index, and since when it has not got any further.
#[derive(Debug, Default)]
pub(super) struct Lag(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    missing_since: Option<DateTime<Utc>>,
    stuck_since: Option<Instant>,
    applied: i64,
}

impl Lag {
    /// Notes how far the index is, and when the first change was made that it does not contain.
    pub(super) fn note(&self, applied: i64, missing_since: Option<DateTime<Utc>>, now: Instant) {
        let mut state = self.state();
        let moves = state.applied != applied;
        state.applied = applied;
        state.stuck_since = match state.stuck_since {
            _ if missing_since.is_none() => None,
            Some(since) if !moves => Some(since),
            _ => Some(now),
        };
        state.missing_since = missing_since;
    }

    /// Notes that the index is being written, though no change more is contained yet.
    pub(super) fn note_progress(&self, now: Instant) {
        let mut state = self.state();
        state.stuck_since = state.stuck_since.map(|_| now);
    }

    /// For how long the index has stood still though there is more; nothing when it keeps up.
    pub(super) fn stuck_for(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.state().stuck_since?))
    }

    /// When the first change was made that is missing; nothing when none is.
    pub(super) fn missing_since(&self) -> Option<DateTime<Utc>> {
        self.state().missing_since
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standing_still_counts_and_getting_on_does_not() {
        let lag = Lag::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let missing = Some(Utc::now());
        assert_eq!(lag.stuck_for(at(0)), None);
        lag.note(5, missing, at(0));
        lag.note(5, missing, at(10));
        assert_eq!(lag.stuck_for(at(40)), Some(Duration::from_secs(40)));
        assert_eq!(lag.missing_since(), missing);
        lag.note(6, missing, at(41));
        assert_eq!(lag.stuck_for(at(42)), Some(Duration::from_secs(1)));
        lag.note_progress(at(50));
        assert_eq!(lag.stuck_for(at(52)), Some(Duration::from_secs(2)));
        lag.note(7, None, at(53));
        assert_eq!((lag.stuck_for(at(99)), lag.missing_since()), (None, None));
    }
}
