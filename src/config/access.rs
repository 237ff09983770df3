//! Who gets in, and for how long.

use std::time::Duration;

use clap::Args;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// Over a night and a free morning.
const IDLE_HOURS: u64 = 24;

const DAYS: u64 = 14;

/// Who gets in, and for how long.
#[derive(Debug, Clone, Args)]
pub struct Access {
    /// Whether everybody who reaches the server may read without signing in
    #[arg(
        long,
        env = "GAZETTEER_ANONYMOUS_READ",
        value_name = "BOOL",
        default_value_t = false,
        num_args = 0..=1,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub anonymous_read: bool,

    /// After so many hours without a request somebody has to sign in again
    #[arg(
        long,
        env = "GAZETTEER_SESSION_IDLE_HOURS",
        value_name = "HOURS",
        default_value_t = IDLE_HOURS,
        value_parser = clap::value_parser!(u64).range(1..=24 * 30)
    )]
    pub session_idle_hours: u64,

    /// After so many days somebody has to sign in again in any case
    #[arg(
        long,
        env = "GAZETTEER_SESSION_DAYS",
        value_name = "DAYS",
        default_value_t = DAYS,
        value_parser = clap::value_parser!(u64).range(1..=90)
    )]
    pub session_days: u64,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            anonymous_read: false,
            session_idle_hours: IDLE_HOURS,
            session_days: DAYS,
        }
    }
}

impl Access {
    /// How long a session lasts without a request.
    pub fn session_idle(&self) -> Duration {
        Duration::from_secs(self.session_idle_hours * HOUR)
    }

    /// How long a session lasts at the most.
    pub fn session_length(&self) -> Duration {
        Duration::from_secs(self.session_days * DAY)
    }
}
