//! When a recipe runs by itself: five cron fields and a time zone.
//!
//! The times are worked out here, day by day, so that a change of the clocks neither loses nor doubles a run:
//!
//! - A run at a fixed hour that the clocks skip comes right after the gap; one in an hour that comes twice runs once.
//! - A run at every so many minutes or hours follows the time that passes: skipped times do not come, doubled ones do.
//!
//! Where both days are given, of the month and of the week, it runs on both. Deliberately absent: seconds and years.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Duration, MappedLocalTime, NaiveDate, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use croner::Cron;

use super::cron_text;
use super::problem::{nearest, quoted};

/// The longest wait between two times: 29 February across a year such as 2100.
const LONGEST_WAIT_IN_DAYS: u64 = 366 * 8 + 31;

/// The fields in their order: how people call one, and what may stand there.
const FIELDS: [Field; 5] = [
    Field::new("minute", "It goes from 0 to 59.", &[]),
    Field::new("hour", "It goes from 0 to 23.", &[]),
    Field::new(
        "day of the month",
        "It goes from 1 to 31; “L” is the last.",
        &["L", "W", "LW"],
    ),
    Field::new(
        "month",
        "It goes from 1 to 12 or from JAN to DEC.",
        &[
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ],
    ),
    Field::new(
        "day of the week",
        "It goes from 0 to 7 or from SUN to SAT; 0 and 7 are both Sunday.",
        &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "L"],
    ),
];

/// Names for common schedules.
const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

struct Field {
    name: &'static str,
    range: &'static str,
    words: &'static [&'static str],
}

impl Field {
    const fn new(name: &'static str, range: &'static str, words: &'static [&'static str]) -> Self {
        Self { name, range, words }
    }
}

/// When a recipe runs by itself. There is always a next time.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Five fields in upper case, with one space between them.
    cron: String,
    timezone: Tz,
    pattern: Cron,
}

/// Why there is no such schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("A schedule has five fields, but here {}.", fields_found(*.0))]
    Fields(usize),
    #[error("{} is not the name of a schedule.", quoted(.0))]
    Nickname(String),
    #[error("{} cannot stand for the {name}.", quoted(.text))]
    Field {
        text: String,
        name: &'static str,
        range: &'static str,
    },
    #[error("This schedule never comes: no month has such a day.")]
    Never,
    #[error("There is no time zone named {}.", quoted(.name))]
    Timezone {
        name: String,
        nearest: Option<&'static str>,
    },
}

impl ScheduleError {
    /// Suggests what to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Fields(6 | 7) => {
                "Leave out seconds and years: minute, hour, day of the month, month, day of the week."
                    .to_owned()
            }
            Self::Fields(_) => {
                "Write minute, hour, day of the month, month, day of the week, such as “0 6 * * *”."
                    .to_owned()
            }
            Self::Nickname(_) => {
                "The names are @hourly, @daily, @weekly, @monthly and @yearly.".to_owned()
            }
            Self::Field { range, .. } => (*range).to_owned(),
            Self::Never => "Choose a day that some month has.".to_owned(),
            Self::Timezone {
                nearest: Some(nearest),
                ..
            } => format!("Did you mean “{nearest}”?"),
            Self::Timezone { nearest: None, .. } => {
                "Name it by region and city, such as “Europe/Berlin”, or write “UTC”.".to_owned()
            }
        }
    }
}

/// Finds a time zone by its name in the IANA database.
pub fn find_timezone(name: &str) -> Result<Tz, ScheduleError> {
    Tz::from_str(name).map_err(|_unknown| {
        let names = TZ_VARIANTS.iter().map(|timezone| timezone.name());
        ScheduleError::Timezone {
            name: name.to_owned(),
            nearest: nearest(name, names),
        }
    })
}

impl Schedule {
    /// Reads five cron fields, or a name such as `@daily`.
    pub fn new(cron: &str, timezone: Tz) -> Result<Self, ScheduleError> {
        let cron = spelled_out(cron)?.to_ascii_uppercase();
        let fields: Vec<&str> = cron.split_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(ScheduleError::Fields(fields.len()));
        }
        for (field, text) in FIELDS.iter().zip(&fields) {
            check(field, text)?;
        }
        let cron = fields.join(" ");
        let pattern = Cron::from_str(&cron).map_err(|_impossible| ScheduleError::Never)?;
        let schedule = Self {
            cron,
            timezone,
            pattern,
        };
        if schedule.next(DateTime::UNIX_EPOCH, 1).is_empty() {
            Err(ScheduleError::Never)
        } else {
            Ok(schedule)
        }
    }

    /// Its five fields, names such as `@daily` spelled out.
    pub fn cron(&self) -> &str {
        &self.cron
    }

    pub fn timezone(&self) -> Tz {
        self.timezone
    }

    /// Says when it runs, such as “Every day at 06:00, Europe/Berlin”.
    pub fn in_words(&self) -> String {
        let words = cron_text::of(&self.cron, &self.pattern);
        format!("{words}, {}", self.timezone.name())
    }

    /// The next times strictly after `after`, earliest first; never fewer than `count` before the calendar ends.
    pub fn next(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        let mut times = Vec::with_capacity(count.min(100));
        let mut day = after.with_timezone(&self.timezone).date_naive() - Days::new(1);
        let mut waited = 0;
        while times.len() < count && waited <= LONGEST_WAIT_IN_DAYS {
            let mut today = self.times_of(day);
            today.retain(|time| *time > after && !times.contains(time));
            waited = if today.is_empty() { waited + 1 } else { 0 };
            times.extend(today.into_iter().take(count - times.len()));
            let Some(tomorrow) = day.succ_opt() else {
                break;
            };
            day = tomorrow;
        }
        times
    }

    /// All times of one day of the time zone, earliest first.
    fn times_of(&self, day: NaiveDate) -> Vec<DateTime<Utc>> {
        if !self.runs_on(day) {
            return Vec::new();
        }
        let hours = (0..24).filter(|hour| self.pattern.pattern.hour_match(*hour).unwrap_or(false));
        let mut times: Vec<_> = hours
            .flat_map(|hour| {
                let minutes = (0..60)
                    .filter(|minute| self.pattern.pattern.minute_match(*minute).unwrap_or(false));
                minutes.filter_map(move |minute| day.and_hms_opt(hour, minute, 0))
            })
            .flat_map(|wall| self.instants(wall))
            .collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    fn runs_on(&self, day: NaiveDate) -> bool {
        let pattern = &self.pattern.pattern;
        pattern.month_match(day.month()).unwrap_or(false)
            && pattern
                .day_match(day.year(), day.month(), day.day())
                .unwrap_or(false)
    }

    /// The instants that a time on the wall stands for: usually one, on two days of the year another number.
    fn instants(&self, wall: chrono::NaiveDateTime) -> Vec<DateTime<Utc>> {
        match self.timezone.from_local_datetime(&wall) {
            MappedLocalTime::Single(time) => vec![time.to_utc()],
            MappedLocalTime::Ambiguous(first, second) if self.follows_time() => {
                vec![first.to_utc(), second.to_utc()]
            }
            MappedLocalTime::Ambiguous(first, _) => vec![first.to_utc()],
            MappedLocalTime::None if self.follows_time() => Vec::new(),
            MappedLocalTime::None => self.after_gap(wall).into_iter().collect(),
        }
    }

    /// Tells whether it runs every so many minutes or hours, not at fixed hours.
    fn follows_time(&self) -> bool {
        self.cron
            .split(' ')
            .nth(1)
            .is_some_and(|hour| hour.starts_with('*'))
    }

    fn after_gap(&self, wall: chrono::NaiveDateTime) -> Option<DateTime<Utc>> {
        (1..=24 * 60).find_map(|minutes| {
            let later = wall.checked_add_signed(Duration::minutes(minutes))?;
            let time = self.timezone.from_local_datetime(&later).earliest()?;
            Some(time.to_utc())
        })
    }
}

fn spelled_out(cron: &str) -> Result<&str, ScheduleError> {
    let cron = cron.trim();
    if !cron.starts_with('@') {
        return Ok(cron);
    }
    NICKNAMES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(cron))
        .map(|(_, fields)| *fields)
        .ok_or_else(|| ScheduleError::Nickname(cron.to_owned()))
}

/// Checks one field alone, so that the error can name it.
fn check(field: &Field, text: &str) -> Result<(), ScheduleError> {
    let fields: Vec<&str> = FIELDS
        .iter()
        .map(|other| if other.name == field.name { text } else { "*" })
        .collect();
    if words_are_known(text, field.words) && Cron::from_str(&fields.join(" ")).is_ok() {
        return Ok(());
    }
    Err(ScheduleError::Field {
        text: text.to_owned(),
        name: field.name,
        range: field.range,
    })
}

/// The parser below replaces the names of days and months wherever they stand; here they must stand in their field.
fn words_are_known(text: &str, known: &[&str]) -> bool {
    text.split(|letter: char| !letter.is_alphabetic())
        .filter(|word| !word.is_empty())
        .all(|word| known.contains(&word))
        && text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "*,-/#?".contains(letter))
}

fn fields_found(count: usize) -> String {
    match count {
        0 => "is none".to_owned(),
        1 => "is one".to_owned(),
        count => format!("are {count}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(cron: &str, timezone: &str) -> Schedule {
        Schedule::new(cron, find_timezone(timezone).unwrap()).unwrap()
    }

    fn refusal(cron: &str) -> String {
        let error = Schedule::new(cron, Tz::UTC).unwrap_err();
        format!("{error} {}", error.hint())
    }

    /// The next times after a UTC time, in the time of the zone with its offset.
    fn next(cron: &str, timezone: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = schedule(cron, timezone);
        let times = schedule.next(after.parse().unwrap(), count);
        let local = |time: DateTime<Utc>| time.with_timezone(&schedule.timezone);
        times
            .into_iter()
            .map(|time| local(time).format("%Y-%m-%d %H:%M %:z").to_string())
            .collect()
    }

    #[test]
    fn the_next_times_are_strictly_later_and_in_the_time_of_the_zone() {
        assert_eq!(
            next("0 6 * * *", "Europe/Berlin", "2026-11-21T05:00:00Z", 3),
            [
                "2026-11-22 06:00 +01:00",
                "2026-11-23 06:00 +01:00",
                "2026-11-24 06:00 +01:00"
            ]
        );
        assert_eq!(
            next("*/20 * * * *", "UTC", "2026-11-21T23:40:00.5Z", 3),
            [
                "2026-11-22 00:00 +00:00",
                "2026-11-22 00:20 +00:00",
                "2026-11-22 00:40 +00:00"
            ]
        );
        assert_eq!(
            next(
                "30 23 * * *",
                "America/Los_Angeles",
                "2026-11-21T07:29:00Z",
                1
            ),
            ["2026-11-20 23:30 -08:00"]
        );
    }

    #[test]
    fn a_fixed_hour_that_the_clocks_skip_runs_right_after_the_gap() {
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            ["2026-03-29 03:00 +02:00", "2026-03-30 02:30 +02:00"]
        );
    }

    #[test]
    fn a_fixed_hour_that_comes_twice_runs_once() {
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25 02:30 +02:00", "2026-10-26 02:30 +01:00"]
        );
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", 1),
            ["2026-10-26 02:30 +01:00"]
        );
    }

    #[test]
    fn what_runs_every_so_often_follows_the_time_that_passes() {
        assert_eq!(
            next("0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z", 4),
            [
                "2026-10-25 02:00 +02:00",
                "2026-10-25 02:00 +01:00",
                "2026-10-25 03:00 +01:00",
                "2026-10-25 04:00 +01:00"
            ]
        );
        assert_eq!(
            next("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", 2),
            ["2026-10-25 02:00 +01:00", "2026-10-25 02:30 +01:00"]
        );
        assert_eq!(
            next("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", 2),
            ["2026-03-29 03:00 +02:00", "2026-03-29 03:30 +02:00"]
        );
    }

    #[test]
    fn days_of_the_month_and_of_the_week_both_count() {
        assert_eq!(
            next("0 0 1 * MON", "UTC", "2026-11-21T00:00:00Z", 4),
            [
                "2026-11-23 00:00 +00:00",
                "2026-11-30 00:00 +00:00",
                "2026-12-01 00:00 +00:00",
                "2026-12-07 00:00 +00:00"
            ]
        );
    }

    #[test]
    fn rare_days_are_waited_for() {
        assert_eq!(
            next("0 12 29 2 *", "UTC", "2096-03-01T00:00:00Z", 2),
            ["2104-02-29 12:00 +00:00", "2108-02-29 12:00 +00:00"]
        );
        assert_eq!(
            next("0 0 L * *", "UTC", "2027-02-01T00:00:00Z", 2),
            ["2027-02-28 00:00 +00:00", "2027-03-31 00:00 +00:00"]
        );
        assert_eq!(
            next("0 0 * * 5#5", "UTC", "2026-11-21T00:00:00Z", 2),
            ["2027-01-29 00:00 +00:00", "2027-04-30 00:00 +00:00"]
        );
    }

    #[test]
    fn names_stand_for_their_fields() {
        assert_eq!(schedule("@daily", "UTC").cron(), "0 0 * * *");
        assert_eq!(schedule(" @Hourly ", "UTC").cron(), "0 * * * *");
        assert_eq!(
            schedule("0  6 * * mon-fri", "UTC").cron(),
            "0 6 * * MON-FRI"
        );
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_the_field_and_its_range() {
        let refusals = [
            "0 0 6 * * *",
            "0 6 * *",
            "",
            "0 25 * * *",
            "60 * * * *",
            "0 6 32 * *",
            "0 6 0 * *",
            "0 6 * 13 *",
            "0 6 * * 8",
            "0 MON * * *",
            "0 6 * * MONDAY",
            "*/0 * * * *",
            "30-10 * * * *",
            "0 6 * * +1",
            "0 6 31 2 *",
            "0 6 30,31 2 *",
            "@reboot",
            "every day",
        ]
        .map(|cron| format!("{cron}: {}", refusal(cron)));
        insta::assert_snapshot!(refusals.join("\n"), @r"
        0 0 6 * * *: A schedule has five fields, but here are 6. Leave out seconds and years: minute, hour, day of the month, month, day of the week.
        0 6 * *: A schedule has five fields, but here are 4. Write minute, hour, day of the month, month, day of the week, such as “0 6 * * *”.
        : A schedule has five fields, but here is none. Write minute, hour, day of the month, month, day of the week, such as “0 6 * * *”.
        0 25 * * *: “25” cannot stand for the hour. It goes from 0 to 23.
        60 * * * *: “60” cannot stand for the minute. It goes from 0 to 59.
        0 6 32 * *: “32” cannot stand for the day of the month. It goes from 1 to 31; “L” is the last.
        0 6 0 * *: “0” cannot stand for the day of the month. It goes from 1 to 31; “L” is the last.
        0 6 * 13 *: “13” cannot stand for the month. It goes from 1 to 12 or from JAN to DEC.
        0 6 * * 8: “8” cannot stand for the day of the week. It goes from 0 to 7 or from SUN to SAT; 0 and 7 are both Sunday.
        0 MON * * *: “MON” cannot stand for the hour. It goes from 0 to 23.
        0 6 * * MONDAY: “MONDAY” cannot stand for the day of the week. It goes from 0 to 7 or from SUN to SAT; 0 and 7 are both Sunday.
        */0 * * * *: “*/0” cannot stand for the minute. It goes from 0 to 59.
        30-10 * * * *: “30-10” cannot stand for the minute. It goes from 0 to 59.
        0 6 * * +1: “+1” cannot stand for the day of the week. It goes from 0 to 7 or from SUN to SAT; 0 and 7 are both Sunday.
        0 6 31 2 *: This schedule never comes: no month has such a day. Choose a day that some month has.
        0 6 30,31 2 *: This schedule never comes: no month has such a day. Choose a day that some month has.
        @reboot: “@reboot” is not the name of a schedule. The names are @hourly, @daily, @weekly, @monthly and @yearly.
        every day: A schedule has five fields, but here are 2. Write minute, hour, day of the month, month, day of the week, such as “0 6 * * *”.
        ");
    }

    #[test]
    fn a_misspelt_time_zone_is_answered_with_the_nearest() {
        let refusal = |name| {
            let error = find_timezone(name).unwrap_err();
            format!("{error} {}", error.hint())
        };
        assert_eq!(
            refusal("Europe/Berlim"),
            "There is no time zone named “Europe/Berlim”. Did you mean “Europe/Berlin”?"
        );
        assert_eq!(
            refusal("europe/berlin"),
            "There is no time zone named “europe/berlin”. Did you mean “Europe/Berlin”?"
        );
        assert_eq!(
            refusal("+02:00"),
            "There is no time zone named “+02:00”. Name it by region and city, such as \
             “Europe/Berlin”, or write “UTC”."
        );
    }

    /// Schedules of every shape.
    const SHAPES: [&str; 40] = [
        "0 6 * * *",
        "30 6,18 * * *",
        "0 */6 * * *",
        "0 */2 * * *",
        "15 */2 * * *",
        "0 * * * *",
        "15 * * * *",
        "*/15 * * * *",
        "5/15 * * * *",
        "5-59/15 * * * *",
        "* * * * *",
        "*/15 9-17 * * 1-5",
        "0 9-17 * * MON-FRI",
        "* 9-17 * * *",
        "0,7,23 1-5 * * *",
        "7,23 * * * 6",
        "*/7 1,5,9 * * *",
        "0 6 * * 1",
        "0 6 * * 0",
        "0 6 * * 7",
        "0 6 * * 0,6",
        "0 6 * * MON,WED,FRI",
        "0 6 * * 1-7",
        "0 6 1 * *",
        "0 6 1,15 * *",
        "0 6 1-7 * *",
        "0 6 2,3,11,12,13,21,22,23,31 * *",
        "0 6 L * *",
        "0 6 15W * *",
        "0 6 * * 1#2",
        "0 6 * * 5L",
        "0 6 1 1 *",
        "0 6 1 1,7 *",
        "0 6 * 6-8 *",
        "0 6 * 1 1",
        "0 6 1 * 1",
        "*/15 * 1 * 1",
        "*/15 * * 12 *",
        "@weekly",
        "@yearly",
    ];

    #[test]
    fn a_schedule_is_said_in_words() {
        let said =
            SHAPES.map(|cron| format!("{cron:25} {}", schedule(cron, "Europe/Berlin").in_words()));
        insta::assert_snapshot!(said.join("\n"), @r"
        0 6 * * *                 Every day at 06:00, Europe/Berlin
        30 6,18 * * *             Every day at 06:30 and 18:30, Europe/Berlin
        0 */6 * * *               Every day at 00:00, 06:00, 12:00 and 18:00, Europe/Berlin
        0 */2 * * *               Every 2 hours from 00:00 to 22:00, Europe/Berlin
        15 */2 * * *              Every 2 hours from 00:15 to 22:15, Europe/Berlin
        0 * * * *                 Every hour, on the hour, Europe/Berlin
        15 * * * *                Every hour, at minute 15, Europe/Berlin
        */15 * * * *              Every 15 minutes, Europe/Berlin
        5/15 * * * *              Every 15 minutes, beginning at minute 5, Europe/Berlin
        5-59/15 * * * *           Every 15 minutes, beginning at minute 5, Europe/Berlin
        * * * * *                 Every minute, Europe/Berlin
        */15 9-17 * * 1-5         Every 15 minutes from 09:00 to 17:45, Monday to Friday, Europe/Berlin
        0 9-17 * * MON-FRI        Every hour from 09:00 to 17:00, Monday to Friday, Europe/Berlin
        * 9-17 * * *              Every minute from 09:00 to 17:59, Europe/Berlin
        0,7,23 1-5 * * *          At minutes 0, 7 and 23 of the hours from 1 to 5, Europe/Berlin
        7,23 * * * 6              At minutes 7 and 23 of every hour, every Saturday, Europe/Berlin
        */7 1,5,9 * * *           At minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of the hours 1, 5 and 9, Europe/Berlin
        0 6 * * 1                 Every Monday at 06:00, Europe/Berlin
        0 6 * * 0                 Every Sunday at 06:00, Europe/Berlin
        0 6 * * 7                 Every Sunday at 06:00, Europe/Berlin
        0 6 * * 0,6               Every Saturday and Sunday at 06:00, Europe/Berlin
        0 6 * * MON,WED,FRI       Every Monday, Wednesday and Friday at 06:00, Europe/Berlin
        0 6 * * 1-7               Every day at 06:00, Europe/Berlin
        0 6 1 * *                 On the 1st of every month at 06:00, Europe/Berlin
        0 6 1,15 * *              On the 1st and 15th of every month at 06:00, Europe/Berlin
        0 6 1-7 * *               On the 1st to 7th of every month at 06:00, Europe/Berlin
        0 6 2,3,11,12,13,21,22,23,31 * * On the 2nd, 3rd, 11th, 12th, 13th, 21st, 22nd, 23rd and 31st of every month at 06:00, Europe/Berlin
        0 6 L * *                 On the last day of every month at 06:00, Europe/Berlin
        0 6 15W * *               On the weekday nearest the 15th of every month at 06:00, Europe/Berlin
        0 6 * * 1#2               On the 2nd Monday of the month at 06:00, Europe/Berlin
        0 6 * * 5L                On the last Friday of the month at 06:00, Europe/Berlin
        0 6 1 1 *                 On the 1st of January at 06:00, Europe/Berlin
        0 6 1 1,7 *               On the 1st of January and July at 06:00, Europe/Berlin
        0 6 * 6-8 *               Every day from June to August at 06:00, Europe/Berlin
        0 6 * 1 1                 Every Monday in January at 06:00, Europe/Berlin
        0 6 1 * 1                 On the 1st of every month and every Monday at 06:00, Europe/Berlin
        */15 * 1 * 1              Every 15 minutes, on the 1st of every month and every Monday, Europe/Berlin
        */15 * * 12 *             Every 15 minutes, every day in December, Europe/Berlin
        @weekly                   Every Sunday at 00:00, Europe/Berlin
        @yearly                   On the 1st of January at 00:00, Europe/Berlin
        ");
    }
}
