//! What a directory said of somebody, for admins: names and types of claims, and groups. No other values, no secrets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// More claims or groups than these are not kept, and no longer names.
const MOST: usize = 200;
const LONGEST: usize = 200;

/// What a directory said of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub claims: Vec<SeenClaim>,
    pub groups: Vec<String>,
    /// Claims that are used and could not be read.
    pub unreadable: Vec<String>,
    /// The directory says that it left the groups out, because there are too many.
    pub groups_left_out: bool,
}

/// A claim or an attribute, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenClaim {
    pub name: String,
    /// Such as `text`, `list of text`.
    pub kind: String,
}

impl Seen {
    /// Shortened to what is kept.
    pub(super) fn new<'a>(
        claims: impl IntoIterator<Item = (&'a str, String)>,
        groups: &BTreeSet<String>,
    ) -> Self {
        let claims = claims.into_iter().take(MOST).map(|(name, kind)| SeenClaim {
            name: shortened(name),
            kind,
        });
        Self {
            claims: claims.collect(),
            groups: groups
                .iter()
                .take(MOST)
                .map(|name| shortened(name))
                .collect(),
            ..Self::default()
        }
    }
}

/// The type of a claim's value, in words.
pub(super) fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Object(_) => "object",
        Value::Array(list) => {
            let mut kinds: Vec<String> = list.iter().map(kind_of).collect();
            kinds.dedup();
            return match kinds.as_slice() {
                [] => "empty list".to_owned(),
                [kind] => format!("list of {kind}"),
                _ => "mixed list".to_owned(),
            };
        }
    }
    .to_owned()
}

fn shortened(name: &str) -> String {
    name.chars().take(LONGEST).collect()
}
