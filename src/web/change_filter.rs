//! Which changes somebody asks for, as addresses write it: `kind`, `database` and `days`.

use crate::auth::{Actor, Scope};
use crate::catalog::groups::GroupFilter;
use crate::catalog::{self, AssetId, ChangeKind, Error};
use crate::db::Db;
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
pub(super) async fn read(
    db: &Db,
    actor: &Actor,
    parameters: &Parameters,
) -> Result<GroupFilter, Failure> {
    let database = database(db, actor, parameters).await?;
    let database = database.map_err(|text| Failure::bad_parameter("database", text))?;
    Ok(GroupFilter {
        database,
        ..without_database(parameters)?
    })
}

/// Reads what an address says beside the database.
pub(super) fn without_database(parameters: &Parameters) -> Result<GroupFilter, Failure> {
    let kinds: Vec<ChangeKind> = parameters.each("kind")?;
    let days = parameters.number("days", USUAL_DAYS, 0..=3_660)?;
    Ok(GroupFilter {
        batch: None,
        database: None,
        kind: kinds.first().copied(),
        days: u32::try_from(days).ok(),
    })
}

/// Finds the database that an address names, by its id or as [`catalog::find_scope`] reads names; or says why there is
/// none.
pub(super) async fn database(
    db: &Db,
    actor: &Actor,
    parameters: &Parameters,
) -> Result<Result<Option<AssetId>, String>, Failure> {
    let typed = parameters.text("database").trim();
    if typed.is_empty() {
        return Ok(Ok(None));
    }
    if let Ok(id) = typed.parse() {
        return Ok(Ok(Some(AssetId(id))));
    }
    Ok(
        match catalog::find_scope(db, actor.visibility(), typed).await {
            Ok(Scope::Database { database, .. }) => Ok(Some(AssetId(database))),
            Ok(Scope::Source { .. }) => {
                Err(format!("“{typed}” is a source; name one of its databases."))
            }
            Err(Error::UnknownScope { .. }) => {
                Err(format!("There is no database named “{typed}”."))
            }
            Err(several @ Error::SeveralScopes { .. }) => Err(several.to_string()),
            Err(other) => return Err(other.into()),
        },
    )
}

/// The time of a filter, as an address writes it.
pub(super) fn days_text(filter: &GroupFilter) -> String {
    let days = filter.days.map(|days| days.to_string());
    days.unwrap_or_default()
}
