//! Whether the index keeps up with the catalog.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Since when the index has been behind without getting any further.
#[derive(Debug, Default)]
pub(super) struct Lag(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    since: Option<Instant>,
    applied: i64,
}

impl Lag {
    /// Notes how far the index is, and whether that is all there is.
    pub(super) fn note(&self, applied: i64, is_all: bool, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let moves = state.applied != applied;
        state.applied = applied;
        state.since = match state.since {
            _ if is_all => None,
            Some(since) if !moves => Some(since),
            _ => Some(now),
        };
    }

    /// For how long the index has stood still though there is more; nothing when it keeps up.
    pub(super) fn standing_for(&self, now: Instant) -> Option<Duration> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some(now.saturating_duration_since(state.since?))
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
        assert_eq!(lag.standing_for(at(0)), None);
        lag.note(5, false, at(0));
        lag.note(5, false, at(10));
        assert_eq!(lag.standing_for(at(40)), Some(Duration::from_secs(40)));
        lag.note(6, false, at(41));
        assert_eq!(lag.standing_for(at(42)), Some(Duration::from_secs(1)));
        lag.note(7, true, at(43));
        assert_eq!(lag.standing_for(at(99)), None);
    }
}
