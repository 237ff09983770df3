//! What a request asks of the audit trail, the same for the page, the API and the files.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::failure::Failure;
use super::parameters::Parameters;
use crate::audit::{self, Filter};
use crate::auth::Actor;
use crate::db::Db;

/// The names of the filters, in forms and addresses.
pub(super) const FILTERS: [&str; 7] = [
    "person", "thing", "topic", "action", "from", "until", "runs",
];

/// Reads the filters of an address, looking names up.
pub(super) async fn filter(
    db: &Db,
    actor: &Actor,
    parameters: &Parameters,
) -> Result<Filter, Failure> {
    let given = |name| Some(parameters.text(name).trim()).filter(|text| !text.is_empty());
    let person = match given("person") {
        Some(words) => Some(audit::find_person(db, actor, words).await?),
        None => None,
    };
    let things = match given("thing") {
        Some(words) => Some(audit::find_things(db, actor, words).await?),
        None => None,
    };
    Ok(Filter {
        person,
        things,
        topic: parameters.each("topic")?.into_iter().next(),
        action: given("action").map(str::to_owned),
        from: given("from")
            .map(|text| moment("from", text, 0))
            .transpose()?,
        until: given("until")
            .map(|text| moment("until", text, 1))
            .transpose()?,
        outside_runs: false,
    })
}

/// Reads a moment, or a day: its beginning, or that of the day so many days later.
fn moment(name: &'static str, text: &str, later: u64) -> Result<DateTime<Utc>, Failure> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let day: Option<NaiveDate> = text.parse().ok();
    let day = day.and_then(|day| day.checked_add_days(Days::new(later)));
    let moment = day.and_then(|day| day.and_hms_opt(0, 0, 0));
    moment.map(|moment| moment.and_utc()).ok_or_else(|| {
        let detail = format!(
            "“{name}” is a day such as 2026-11-21, or a moment such as 2026-11-21T09:30:00Z."
        );
        Failure::bad_parameter(name, detail)
    })
}

/// Text that a spreadsheet does not take for a formula.
pub(super) fn harmless(text: &str) -> String {
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_taken_whole() {
        let read = |text, later| moment("until", text, later).map(|moment| moment.to_rfc3339());
        assert_eq!(read("2026-11-21", 0).unwrap(), "2026-11-21T00:00:00+00:00");
        assert_eq!(read("2026-11-21", 1).unwrap(), "2026-11-22T00:00:00+00:00");
        let moment = read("2026-11-21T09:30:00+01:00", 1).unwrap();
        assert_eq!(moment, "2026-11-21T08:30:00+00:00");
        for odd in ["yesterday", "2026-02-30", "262142-12-31", "21.11.2026"] {
            assert!(read(odd, 1).is_err(), "{odd}");
        }
    }

    #[test]
    fn nothing_that_is_written_becomes_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "ana", "1-1", "'=1"] {
            assert_eq!(harmless(text), text);
        }
    }
}
