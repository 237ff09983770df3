//! What a provider's claims say of a person: only those that are used are read, in every shape in which providers pack
//! them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::mapping::{Mapping, Person};
use super::super::seen::{Seen, kind_of};
use super::token::{self, Claims};

/// Where the name of an account is looked for, in this order.
const NAMES: [&str; 3] = ["preferred_username", "nickname", "email"];

/// Where the name of a group is looked for that is an object.
const NAMES_OF_GROUPS: [&str; 5] = ["name", "displayName", "display", "value", "id"];

/// Objects in lists in objects deeper than this hold no groups.
const DEEPEST: usize = 8;

/// Tells whether there is something left to ask the provider for.
pub(super) fn is_complete(claims: &Claims, groups_claim: &str) -> bool {
    let has = |name: &str| token::text(claims, name).is_some_and(|text| !text.trim().is_empty());
    has("preferred_username") && has("name") && has_groups(claims, groups_claim)
}

/// Tells whether the claim is there that lists a person's groups.
pub(super) fn has_groups(claims: &Claims, groups_claim: &str) -> bool {
    !find(claims, groups_claim).is_empty()
}

/// Adds what the first claims do not say.
pub(super) fn add(claims: &mut Claims, more: Claims) {
    for (name, value) in more {
        let known = claims.entry(name).or_insert(Value::Null);
        if known.is_null() {
            *known = value;
        }
    }
}

/// Reads a person out of claims.
pub(super) fn read(claims: &Claims, groups_claim: &str, mapping: &Mapping) -> Person {
    let mut unreadable = Vec::new();
    let mut groups = BTreeSet::new();
    for claim in find(claims, groups_claim) {
        let mut reading = Reading {
            mapping,
            groups: &mut groups,
            is_readable: true,
        };
        reading.read_alone(claim);
        if !reading.is_readable {
            unreadable.push(groups_claim.to_owned());
        }
    }
    let subject = token::subject(claims).unwrap_or_default();
    let name = NAMES
        .into_iter()
        .find_map(|name| read_text(claims, name, &mut unreadable));
    let kinds = claims
        .iter()
        .map(|(name, value)| (name.as_str(), kind_of(value)));
    let seen = Seen::new(kinds, &groups);
    Person {
        name: name.unwrap_or_else(|| subject.clone()),
        subject,
        display_name: read_text(claims, "name", &mut unreadable),
        seen: Seen {
            unreadable,
            groups_left_out: groups.is_empty() && are_left_out(claims, groups_claim),
            ..seen
        },
        groups,
    }
}

/// A claim that is used, if it is a text; one that is something else is noted.
fn read_text(claims: &Claims, name: &str, unreadable: &mut Vec<String>) -> Option<String> {
    match claims.get(name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Null => None,
        _ => {
            unreadable.push(name.to_owned());
            None
        }
    }
}

/// Entra says so in one of two ways when a person is in too many groups.
fn are_left_out(claims: &Claims, groups_claim: &str) -> bool {
    let elsewhere = claims.get("_claim_names").and_then(Value::as_object);
    let is_elsewhere = elsewhere.is_some_and(|names| !find(names, groups_claim).is_empty());
    let has_some = match claims.get("hasgroups") {
        Some(Value::Bool(has)) => *has,
        Some(Value::String(word)) => word.eq_ignore_ascii_case("true"),
        _ => false,
    };
    is_elsewhere || has_some
}

/// A claim by its name, or by the names on the way to it. Names can have dots in them, as addresses do.
fn find<'c>(claims: &'c Claims, name: &str) -> Vec<&'c Value> {
    if let Some(claim) = claims.get(name) {
        return Some(claim)
            .filter(|claim| !claim.is_null())
            .into_iter()
            .collect();
    }
    let dots = name.match_indices('.');
    let ways = dots.filter_map(|(at, _)| name.split_at_checked(at));
    let mut ways = ways.filter_map(|(first, rest)| Some((claims.get(first)?, rest.get(1..)?)));
    ways.find_map(|(claim, rest)| {
        let inside = match claim {
            Value::Object(inside) => find(inside, rest),
            Value::Array(list) => {
                let objects = list.iter().filter_map(Value::as_object);
                objects.flat_map(|inside| find(inside, rest)).collect()
            }
            _ => Vec::new(),
        };
        Some(inside).filter(|inside| !inside.is_empty())
    })
    .unwrap_or_default()
}

/// Reads the names of groups.
struct Reading<'a> {
    mapping: &'a Mapping,
    groups: &'a mut BTreeSet<String>,
    /// Nothing was found so far that cannot be a group.
    is_readable: bool,
}

impl Reading<'_> {
    /// A text alone may be one group, or several with commas between them.
    fn read_alone(&mut self, claim: &Value) {
        match claim {
            Value::String(text) => self.read_text(text.trim()),
            other => self.read(other, 0),
        }
    }

    fn read_text(&mut self, text: &str) {
        if self.mapping.knows(text) {
            self.add(text);
        } else if let Ok(list @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text) {
            self.read(&list, 0);
        } else {
            let inside = text
                .strip_prefix('[')
                .and_then(|text| text.strip_suffix(']'));
            let parts = inside.unwrap_or(text).split(',');
            parts.for_each(|name| self.add(name.trim()));
        }
    }

    fn read(&mut self, claim: &Value, depth: usize) {
        match claim {
            _ if depth > DEEPEST => self.is_readable = false,
            Value::String(name) => self.add(name),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Array(list) => list.iter().for_each(|one| self.read(one, depth + 1)),
            Value::Object(object) => self.read_object(object),
            Value::Null => {}
            Value::Bool(_) => self.is_readable = false,
        }
    }

    /// An object is a group that has a name, or holds something under the name of each group.
    fn read_object(&mut self, object: &Claims) {
        let name = NAMES_OF_GROUPS
            .into_iter()
            .find_map(|name| token::text(object, name));
        if let Some(name) = name {
            self.add(name);
        } else {
            let held = object.iter().filter(|(_, value)| holds(value));
            held.for_each(|(name, _)| self.add(name));
        }
    }

    fn add(&mut self, name: &str) {
        if !name.is_empty() {
            self.groups.insert(name.to_owned());
        }
    }
}

/// Tells whether what an object holds under the name of a group puts the person into it.
fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_in) => *is_in,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => {
            let text = text.trim().to_lowercase();
            !["", "false", "0", "no"].contains(&text.as_str())
        }
        Value::Array(list) => !list.is_empty(),
        Value::Object(inside) => !inside.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Problems;

    fn person(claims: &Value, groups_claim: &str) -> Person {
        let roles = "stewards=steward,cn=a,ou=b=reader".to_owned();
        let mapping = Mapping::read(Some(&roles), None, "X", &mut Problems::default());
        read(claims.as_object().unwrap(), groups_claim, &mapping)
    }

    fn groups(claim: &Value) -> Vec<String> {
        person(&json!({"sub": "1", "groups": claim}), "groups")
            .groups
            .into_iter()
            .collect()
    }

    #[test]
    fn groups_are_read_however_they_are_packed() {
        for (claim, expected) in [
            (json!(["a", "b"]), vec!["a", "b"]),
            (json!("one"), vec!["one"]),
            (json!("readers, stewards"), vec!["readers", "stewards"]),
            (json!("[readers, stewards]"), vec!["readers", "stewards"]),
            (
                json!(r#"["readers","stewards"]"#),
                vec!["readers", "stewards"],
            ),
            (json!("cn=a,ou=b"), vec!["cn=a", "ou=b"]),
            (json!("Former stewards"), vec!["Former stewards"]),
            (json!([1001, "a"]), vec!["1001", "a"]),
            (
                json!([{"id": "1", "name": "a"}, {"value": "b"}]),
                vec!["a", "b"],
            ),
            (
                json!({"a": {"1": "x"}, "b": true, "c": false, "d": null}),
                vec!["a", "b"],
            ),
            (
                json!({"a": "False", "b": 0, "c": "", "d": [], "e": {}, "f": "no", "g": "0", "h": 0.0}),
                vec![],
            ),
            (
                json!({"a": "true", "b": 1, "c": ["x"], "d": {"x": null}}),
                vec!["a", "b", "c", "d"],
            ),
            (json!([{"a": {"1": "x"}}, ["b"]]), vec!["a", "b"]),
            (json!([]), vec![]),
            (json!(""), vec![]),
            (json!(["a, b"]), vec!["a, b"]),
        ] {
            assert_eq!(groups(&claim), expected, "{claim}");
        }
    }

    #[test]
    fn a_text_that_the_settings_name_is_one_group() {
        let roles = "cn=a,ou=b=reader;x=admin".to_owned();
        let mapping = Mapping::read(Some(&roles), None, "X", &mut Problems::default());
        let claims = json!({"sub": "1", "groups": "cn=a,ou=b"});

        let person = read(claims.as_object().unwrap(), "groups", &mapping);

        assert_eq!(person.groups, BTreeSet::from(["cn=a,ou=b".to_owned()]));
    }

    #[test]
    fn the_claim_is_found_by_name_or_by_the_way_to_it() {
        let claims = json!({
            "sub": "1",
            "role": "one",
            "https://catalog.example/app.roles": ["c"],
            "https://catalog.example/app": {"roles": ["h"]},
            "realm_access": {"roles": ["d"]},
            "resource_access": {"my.client": {"roles": ["e"]}},
            "orgs": [{"roles": ["f"]}, {"roles": ["g"]}, {}],
            "nothing": null,
        });
        let found =
            |name: &str| -> Vec<String> { person(&claims, name).groups.into_iter().collect() };

        assert_eq!(found("role"), ["one"]);
        assert_eq!(found("https://catalog.example/app.roles"), ["c"]);
        assert_eq!(found("realm_access.roles"), ["d"]);
        assert_eq!(found("resource_access.my.client.roles"), ["e"]);
        assert_eq!(found("orgs.roles"), ["f", "g"]);
        for missing in ["realm_access.groups", "elsewhere", "nothing", "role.x", "."] {
            assert!(found(missing).is_empty(), "{missing}");
        }
    }

    #[test]
    fn what_is_used_and_cannot_be_read_is_named_and_the_rest_is_not_looked_at() {
        let person = person(
            &json!({
                "sub": 42,
                "preferred_username": {"a": 1},
                "nickname": "ana",
                "email": 7,
                "name": ["Ana"],
                "groups": true,
                "address": "Example Street 1",
                "updated_at": "2026-03-04T10:11:12.345Z",
            }),
            "groups",
        );

        assert_eq!(
            (person.subject.as_str(), person.name.as_str()),
            ("42", "ana")
        );
        assert_eq!(person.display_name, None);
        assert_eq!(
            person.seen.unreadable,
            ["groups", "preferred_username", "name"]
        );
        assert!(!person.seen.groups_left_out);
    }

    #[test]
    fn groups_that_the_provider_left_out_are_known_to_be_missing() {
        for left_out in [
            json!({"sub": "1", "_claim_names": {"groups": "src1"}}),
            json!({"sub": "1", "hasgroups": true}),
            json!({"sub": "1", "hasgroups": "true"}),
        ] {
            assert!(
                person(&left_out, "groups").seen.groups_left_out,
                "{left_out}"
            );
        }
        for not in [
            json!({"sub": "1", "_claim_names": {"roles": "src1"}}),
            json!({"sub": "1", "hasgroups": false}),
            json!({"sub": "1", "hasgroups": true, "groups": ["a"]}),
        ] {
            assert!(!person(&not, "groups").seen.groups_left_out, "{not}");
        }
    }
}
