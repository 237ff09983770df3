//! Which changes somebody asks for, as addresses write it: `kind`, `database` and `days`.

use crate::catalog::groups::GroupFilter;
use crate::catalog::{AssetId, ChangeKind};
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;

/// The times that pages offer, as addresses write them.
pub(super) const DAYS: [(&str, &str); 4] = [
    ("1", "Since yesterday"),
    ("7", "Last 7 days"),
    ("30", "Last 30 days"),
    ("365", "Last year"),
];

/// Without a word about time, so many days count.
const USUAL_DAYS: usize = 30;

/// Reads the filter of an address.
pub(super) fn read(parameters: &Parameters) -> Result<GroupFilter, Failure> {
    let kinds: Vec<ChangeKind> = parameters.each("kind")?;
    let days = parameters.number("days", USUAL_DAYS, 0..=3_660)?;
    Ok(GroupFilter {
        batch: None,
        database: parameters.id("database")?.map(AssetId),
        kind: kinds.first().copied(),
        days: u32::try_from(days).ok(),
    })
}

/// The time of a filter, as an address writes it.
pub(super) fn days_text(filter: &GroupFilter) -> String {
    let days = filter.days.map(|days| days.to_string());
    days.unwrap_or_default()
}
