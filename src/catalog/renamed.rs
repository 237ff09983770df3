//! What a removed column is probably called now: one that came when it went, with its type, in the same place.

use std::collections::{BTreeSet, HashMap};

use super::{Asset, Change, Difference};

/// What is less like the old name than this counts only where nothing else could be meant.
const ALIKE: f64 = 0.4;

/// Finds for columns that are described and no longer there the ones that they may have become.
///
/// A change tells: the format says so, or exactly one column with the same type and the same parent was added when the old
/// one was dropped. Of several the one whose name is most like it is meant, if any is.
pub fn likely_renames(asset: &Asset, history: &[Change]) -> HashMap<String, String> {
    let paths = asset.column_paths();
    let removed: BTreeSet<&str> = asset
        .human
        .columns_beside(&paths)
        .into_iter()
        .map(|note| note.content.column.as_str())
        .collect();
    let present: BTreeSet<&str> = paths.into_iter().collect();
    let mut found = HashMap::new();
    for change in history {
        let differences = change.action.differences();
        for old in &removed {
            if found.contains_key(*old) {
                continue;
            }
            let new = renamed(old, differences).filter(|new| present.contains(new.as_str()));
            found.extend(new.map(|new| ((*old).to_owned(), new)));
        }
    }
    found
}

/// What one change makes of a column.
fn renamed(old: &str, differences: &[Difference]) -> Option<String> {
    let said = differences.iter().find_map(|difference| match difference {
        Difference::ColumnRenamed { before, after } if before == old => Some(after.clone()),
        _ => None,
    });
    if said.is_some() {
        return said;
    }
    let dropped = differences.iter().find_map(|difference| match difference {
        Difference::ColumnDropped { column, data_type } if column == old => Some(data_type),
        _ => None,
    })?;
    let added: Vec<&String> = differences
        .iter()
        .filter_map(|difference| match difference {
            Difference::ColumnAdded { column, data_type }
                if data_type == dropped && parent(column) == parent(old) =>
            {
                Some(column)
            }
            _ => None,
        })
        .collect();
    if let [only] = added.as_slice() {
        return Some((*only).clone());
    }
    let likeness = |column: &str| strsim::jaro_winkler(old, column);
    let alike = added.into_iter().map(|column| (likeness(column), column));
    let best = alike.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 > ALIKE).then(|| best.1.clone())
}

/// The path of the column that a field is in; nothing for a column.
fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(column: &str, data_type: &str) -> Difference {
        Difference::ColumnAdded {
            column: column.to_owned(),
            data_type: data_type.to_owned(),
        }
    }

    fn dropped(column: &str, data_type: &str) -> Difference {
        Difference::ColumnDropped {
            column: column.to_owned(),
            data_type: data_type.to_owned(),
        }
    }

    #[test]
    fn the_only_column_of_the_same_type_and_place_is_meant() {
        let differences = [
            dropped("address.city", "string"),
            added("address.town", "string"),
            added("address.since", "date"),
            added("town", "string"),
        ];

        let new = renamed("address.city", &differences);

        assert_eq!(new.as_deref(), Some("address.town"));
    }

    #[test]
    fn of_several_the_most_alike_is_meant() {
        let differences = [
            dropped("cust_id", "bigint"),
            added("store", "bigint"),
            added("customer_id", "bigint"),
        ];

        let new = renamed("cust_id", &differences);

        assert_eq!(new.as_deref(), Some("customer_id"));
    }

    #[test]
    fn a_column_of_another_type_is_never_meant() {
        let differences = [dropped("city", "string"), added("town", "int")];

        assert_eq!(renamed("city", &differences), None);
    }
}
