//! What a source's identity may not do yet, in a sentence and as a policy to copy.
//!
//! The sentence is written and read here, so that a report that is only text still leads to its policy. Deliberately
//! absent: who reads, and whether the policy is enough.

use std::fmt;

use serde_json::json;

/// An action that was refused, and the resource of AWS that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPermission {
    /// Such as `glue:GetTables`.
    pub action: String,
    /// As policies name it; its partition is the one that the source is in.
    pub resource: String,
}

/// What stands before the action in a sentence, between both, and behind the resource.
const BEFORE: &str = " was denied: allow ";
const BETWEEN: &str = " on ";
const BEHIND: &str = ". AWS said: “";

impl MissingPermission {
    /// A whole sentence: what was to be read, what it needs, and what AWS said.
    pub fn sentence(&self, what: &str, said: &str) -> String {
        let refused = format!("Access to {what}{BEFORE}{self}");
        match said {
            "" => format!("{refused}."),
            said => format!("{refused}{BEHIND}{said}.”"),
        }
    }

    /// Finds what [`Self::sentence`] said, wherever in a text it is.
    pub fn find_in(text: &str) -> Option<Self> {
        let (_, asked) = text.split_once(BEFORE)?;
        let (action, rest) = asked.split_once(BETWEEN)?;
        let resource = match rest.split_once(BEHIND) {
            Some((resource, _)) => resource,
            None => rest.strip_suffix('.')?,
        };
        Some(Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
        })
    }

    /// The policy that allows it, as JSON to copy.
    pub fn policy(&self) -> String {
        let statement = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": self.action,
                "Resource": self.resources(),
            }],
        });
        serde_json::to_string_pretty(&statement).expect("a policy is plain text")
    }

    /// The resource, and those around it that AWS Glue checks as well.
    fn resources(&self) -> Vec<String> {
        let named = self.resource.clone();
        let mut parts = self.resource.splitn(6, ':');
        let place: Vec<&str> = parts.by_ref().take(5).collect();
        let at = |what: String| format!("{}:{what}", place.join(":"));
        let catalog = || at("catalog".to_owned());
        match parts.next().and_then(|path| path.split_once('/')) {
            Some(("database", path)) => vec![catalog(), named, at(format!("table/{path}/*"))],
            Some(("table", path)) => {
                let database = path.rsplit_once('/').map_or(path, |(database, _)| database);
                vec![catalog(), at(format!("database/{database}")), named]
            }
            Some(("catalog", nested)) => vec![named, at(format!("database/{nested}/*"))],
            _ => vec![named, at("database/*".to_owned())],
        }
    }
}

impl fmt::Display for MissingPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{BETWEEN}{}", self.action, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(action: &str, resource: &str) -> MissingPermission {
        MissingPermission {
            action: action.to_owned(),
            resource: resource.to_owned(),
        }
    }

    #[test]
    fn what_a_sentence_says_is_found_in_it_again() {
        let tables = missing(
            "glue:GetTables",
            "arn:aws-cn:glue:cn-north-1:111122223333:database/on call. on",
        );
        for said in ["", "User is not authorized on resource. Ask an admin"] {
            let sentence = tables.sentence("the tables of “on call. on”", said);
            assert_eq!(
                MissingPermission::find_in(&sentence).as_ref(),
                Some(&tables)
            );
        }
        assert_eq!(MissingPermission::find_in("It was denied: allow it."), None);
        assert_eq!(MissingPermission::find_in(""), None);
    }

    #[test]
    fn a_policy_names_what_glue_checks_in_the_partition_of_the_source() {
        let policy = missing(
            "glue:GetTables",
            "arn:aws-us-gov:glue:us-gov-west-1:111122223333:database/people",
        );
        let policy: serde_json::Value = serde_json::from_str(&policy.policy()).unwrap();

        let statement = &policy["Statement"][0];
        assert_eq!(statement["Action"], "glue:GetTables");
        assert_eq!(
            statement["Resource"],
            json!([
                "arn:aws-us-gov:glue:us-gov-west-1:111122223333:catalog",
                "arn:aws-us-gov:glue:us-gov-west-1:111122223333:database/people",
                "arn:aws-us-gov:glue:us-gov-west-1:111122223333:table/people/*",
            ])
        );
        let one = missing(
            "glue:GetTable",
            "arn:aws:glue:eu-west-1:1:table/shop/orders",
        );
        assert_eq!(one.resources()[1], "arn:aws:glue:eu-west-1:1:database/shop");
    }
}
