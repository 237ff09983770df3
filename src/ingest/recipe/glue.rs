//! The keys of a Glue source, in the words that recipes for DataHub already use.

use regex::Regex;
use secrecy::SecretString;

use super::node::{Node, Value};
use super::problem::{Position, Problem, quoted};
use super::reader::{Fields, Idle, Reader};
use crate::sources::Pattern;
use crate::sources::glue::{AssumeRole, Identity, Settings};

/// The keys that are acted on.
const KEYS: [&str; 17] = [
    "aws_access_key_id",
    "aws_endpoint_url",
    "aws_profile",
    "aws_region",
    "aws_role",
    "aws_secret_access_key",
    "aws_session_token",
    "catalog_id",
    "database_pattern",
    "endpoint_url",
    "env",
    "extract_delta_schema_from_parameters",
    "extract_owners",
    "ignore_resource_links",
    "platform",
    "platform_instance",
    "table_pattern",
];

const NO_LINEAGE: &str = "Lineage is not read yet.";
const NO_TAGS: &str = "Tags are not read yet.";
const NO_JOBS: &str = "Jobs are not read yet.";
const OWN_WAY: &str = "Connections and retries are looked after here.";

/// Keys of DataHub's Glue source that are known but not acted on.
const IDLE: [Idle; 28] = [
    Idle {
        key: "aws_advanced_config",
        reason: OWN_WAY,
    },
    Idle {
        key: "aws_proxy",
        reason: "Set HTTPS_PROXY in the environment instead.",
    },
    Idle {
        key: "aws_retry_mode",
        reason: OWN_WAY,
    },
    Idle {
        key: "aws_retry_num",
        reason: OWN_WAY,
    },
    Idle {
        key: "read_timeout",
        reason: OWN_WAY,
    },
    Idle {
        key: "catalog_to_platform_instance",
        reason: "All of a recipe has one instance.",
    },
    Idle {
        key: "target_platform_configs",
        reason: NO_LINEAGE,
    },
    Idle {
        key: "domain",
        reason: "People put tables into departments.",
    },
    Idle {
        key: "emit_s3_lineage",
        reason: NO_LINEAGE,
    },
    Idle {
        key: "emit_storage_lineage",
        reason: NO_LINEAGE,
    },
    Idle {
        key: "glue_s3_lineage_direction",
        reason: NO_LINEAGE,
    },
    Idle {
        key: "glue_storage_lineage_direction",
        reason: NO_LINEAGE,
    },
    Idle {
        key: "include_column_lineage",
        reason: NO_LINEAGE,
    },
    Idle {
        key: "include_view_lineage",
        reason: NO_LINEAGE,
    },
    Idle {
        key: "incremental_lineage",
        reason: NO_LINEAGE,
    },
    Idle {
        key: "incremental_properties",
        reason: "Only what changed is written anyway.",
    },
    Idle {
        key: "extract_column_parameters",
        reason: "Parameters of columns are not read yet.",
    },
    Idle {
        key: "extract_lakeformation_column_tags",
        reason: NO_TAGS,
    },
    Idle {
        key: "extract_lakeformation_tags",
        reason: NO_TAGS,
    },
    Idle {
        key: "propagate_lakeformation_tags",
        reason: NO_TAGS,
    },
    Idle {
        key: "use_s3_bucket_tags",
        reason: NO_TAGS,
    },
    Idle {
        key: "use_s3_object_tags",
        reason: NO_TAGS,
    },
    Idle {
        key: "extract_transforms",
        reason: NO_JOBS,
    },
    Idle {
        key: "ignore_unsupported_connectors",
        reason: NO_JOBS,
    },
    Idle {
        key: "profiling",
        reason: "Data is not profiled yet.",
    },
    Idle {
        key: "resolve_resource_link_schema",
        reason: "A link shows what it points at.",
    },
    Idle {
        key: "stateful_ingestion",
        reason: "What vanishes is always marked as gone, within the share in “remove”.",
    },
    Idle {
        key: "underlying_platform",
        reason: "Everything is shown as Glue’s.",
    },
];

/// Arguments of a role that are known but not acted on.
const IDLE_IN_ROLE: [Idle; 9] = [
    Idle {
        key: "RoleSessionName",
        reason: "Sessions are named by this program.",
    },
    Idle {
        key: "DurationSeconds",
        reason: "Sessions are renewed as long as a run lasts.",
    },
    Idle {
        key: "Policy",
        reason: "The role’s own policies hold.",
    },
    Idle {
        key: "PolicyArns",
        reason: "The role’s own policies hold.",
    },
    Idle {
        key: "Tags",
        reason: "Sessions carry no tags.",
    },
    Idle {
        key: "TransitiveTagKeys",
        reason: "Sessions carry no tags.",
    },
    Idle {
        key: "SerialNumber",
        reason: "Nobody is there to type a code.",
    },
    Idle {
        key: "TokenCode",
        reason: "Nobody is there to type a code.",
    },
    Idle {
        key: "SourceIdentity",
        reason: "Sessions carry no identity of their own.",
    },
];

/// Every key that a Glue source may have.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.into_iter().chain(IDLE.iter().map(|idle| idle.key))
}

/// Reads `source.config`; `at` is where it stands or should stand.
pub(super) fn read(node: Option<&Node>, at: Position, reader: &mut Reader<'_>) -> Option<Settings> {
    let Some(node) = node else {
        reader.problem(Problem::at(at, "“config” is missing in “source”."));
        return None;
    };
    let mut fields = reader.mapping("source.config", node)?;
    let draft = Draft::read(&mut fields, reader);
    super::finish(fields, &IDLE, reader);
    draft.and_then(Draft::into_settings)
}

/// A role to take on.
struct Role {
    arn: String,
    external_id: Option<String>,
}

/// Which names to read.
struct Names {
    allow: Vec<String>,
    deny: Vec<String>,
    ignore_case: bool,
}

impl Names {
    /// Each expression was compiled when it was read, so this is `None` only in theory.
    fn into_pattern(self) -> Option<Pattern> {
        Pattern::new(&self.allow, &self.deny, self.ignore_case).ok()
    }
}

/// An access key and what belongs to it.
struct AccessKey {
    id: SecretString,
    secret: SecretString,
    session_token: Option<SecretString>,
}

struct Draft {
    region: Option<String>,
    access_key: Option<AccessKey>,
    profile: Option<String>,
    roles: Vec<Role>,
    endpoint_url: Option<String>,
    catalog_id: Option<String>,
    platform_instance: Option<String>,
    env: Option<String>,
    databases: Names,
    tables: Names,
    ignore_resource_links: bool,
    extract_owners: bool,
}

impl Draft {
    fn read(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        check_platform(fields, reader);
        check_delta(fields, reader);
        let databases = names("database_pattern", fields, reader);
        let tables = names("table_pattern", fields, reader);
        Some(Self {
            region: fields.text("aws_region", reader),
            access_key: access_key(fields, reader),
            profile: fields.text("aws_profile", reader),
            roles: fields
                .find("aws_role")
                .map(|node| roles(node, reader))
                .unwrap_or_default(),
            endpoint_url: endpoint_url(fields, reader),
            catalog_id: catalog_id(fields, reader),
            platform_instance: fields.text("platform_instance", reader),
            env: fields.text("env", reader),
            ignore_resource_links: fields
                .truth("ignore_resource_links", reader)
                .unwrap_or(false),
            extract_owners: fields.truth("extract_owners", reader).unwrap_or(true),
            databases: databases?,
            tables: tables?,
        })
    }
}

fn access_key(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<AccessKey> {
    let written = |key, fields: &mut Fields<'_>| fields.find(key).is_some();
    let has_id = written("aws_access_key_id", fields);
    let has_secret = written("aws_secret_access_key", fields);
    let before = reader.problems.len();
    let id = fields.text("aws_access_key_id", reader);
    let secret = fields.text("aws_secret_access_key", reader);
    let session_token = fields.text("aws_session_token", reader);
    if reader.problems.len() > before {
        return None;
    }

    match (id, secret) {
        (Some(id), Some(secret)) => {
            if fields.find("aws_profile").is_some() {
                let text = "“aws_profile” is not acted on. The access key is used instead.";
                reader.notice(fields.place("aws_profile"), text);
            }
            Some(AccessKey {
                id: id.into(),
                secret: secret.into(),
                session_token: session_token.map(Into::into),
            })
        }
        (None, None) if session_token.is_none() => None,
        (id, _) => {
            let (given, missing) = match id {
                Some(_) => ("aws_access_key_id", "aws_secret_access_key"),
                None if has_secret => ("aws_secret_access_key", "aws_access_key_id"),
                None => ("aws_session_token", "aws_access_key_id"),
            };
            let empty = if has_id && has_secret {
                " or empty"
            } else {
                ""
            };
            let text = format!("“{given}” is given, but “{missing}” is missing{empty}.");
            let problem = Problem::at(fields.place(given), text)
                .hint("Give both, or neither to use the profile or the role of this machine.");
            reader.problem(problem);
            None
        }
    }
}

/// Reads one role or several, each by its name or with what goes with it.
fn roles(node: &Node, reader: &mut Reader<'_>) -> Vec<Role> {
    match &node.value {
        Value::List(nodes) => nodes.iter().filter_map(|node| role(node, reader)).collect(),
        Value::Scalar(_) | Value::Mapping(_) => role(node, reader).into_iter().collect(),
    }
}

fn role(node: &Node, reader: &mut Reader<'_>) -> Option<Role> {
    let (arn, external_id, at) = match &node.value {
        Value::Mapping(_) => {
            let mut fields = reader.mapping("aws_role", node)?;
            let arn = fields.require("RoleArn", reader);
            let external_id = fields.text("ExternalId", reader);
            super::finish(fields, &IDLE_IN_ROLE, reader);
            let arn = arn?;
            (reader.text("RoleArn", arn)?, external_id, arn.at)
        }
        Value::Scalar(_) | Value::List(_) => (reader.text("aws_role", node)?, None, node.at),
    };
    if arn.starts_with("arn:") {
        return Some(Role { arn, external_id });
    }
    let text = "A role is named by its ARN, which begins with “arn:”.";
    let hint = "Write it like “arn:aws:iam::123456789012:role/catalog-reader”.";
    reader.problem(Problem::at(at, text).hint(hint));
    None
}

/// Both keys mean the same; ours is the shorter.
fn endpoint_url(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let url = fields.text("endpoint_url", reader);
    let aws_url = fields.text("aws_endpoint_url", reader);
    if url.is_some() && aws_url.is_some() {
        let text = "“endpoint_url” and “aws_endpoint_url” mean the same, but both are given.";
        let at = fields
            .place("endpoint_url")
            .max(fields.place("aws_endpoint_url"));
        reader.problem(Problem::at(at, text).hint("Leave one of them out."));
    }
    let key = if url.is_some() {
        "endpoint_url"
    } else {
        "aws_endpoint_url"
    };
    let url = url.or(aws_url)?;
    if url.starts_with("http://") || url.starts_with("https://") {
        return Some(url);
    }
    let text = format!("“{key}” is an address that begins with “http://” or “https://”.");
    reader.problem(Problem::at(fields.place(key), text));
    None
}

/// Reads an account number as it was written, leading zeros and all, or another kind of catalog’s id.
fn catalog_id(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<String> {
    let node = fields.find("catalog_id")?;
    let id = reader.text("catalog_id", node)?;
    let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && id.len() != 12 {
        let text = format!(
            "An account number has 12 digits, but this has {}.",
            id.len()
        );
        reader.problem(Problem::at(node.at, text).hint("Leading zeros count."));
    }
    Some(id)
}

/// Everything is shown as Glue's, even if a recipe says that it is Athena's.
fn check_platform(fields: &mut Fields<'_>, reader: &mut Reader<'_>) {
    let platform = fields.text("platform", reader);
    if platform.is_some_and(|platform| platform != "glue") {
        let text = "“platform” is not acted on. Everything is shown as Glue’s.";
        reader.notice(fields.place("platform"), text);
    }
}

fn check_delta(fields: &mut Fields<'_>, reader: &mut Reader<'_>) {
    let key = "extract_delta_schema_from_parameters";
    if fields.truth(key, reader) == Some(false) && fields.find(key).is_some() {
        let text = format!("“{key}” is not acted on. Schemas of Delta tables are always read.");
        reader.notice(fields.place(key), text);
    }
}

/// Reads which names to read: all, unless the recipe says otherwise.
fn names(key: &'static str, fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<Names> {
    let mut names = Names {
        allow: vec![".*".to_owned()],
        deny: Vec::new(),
        ignore_case: true,
    };
    let Some(node) = fields.find(key) else {
        return Some(names);
    };
    let mut fields = reader.mapping(key, node)?;
    if let Some(node) = fields.find("allow") {
        names.allow = patterns("allow", node, reader)?;
        if names.allow.is_empty() {
            let text = "Nothing is read, because “allow” is empty.";
            let problem = Problem::at(node.at, text).hint("Leave it out to read everything.");
            reader.problem(problem);
        }
    }
    if let Some(node) = fields.find("deny") {
        names.deny = patterns("deny", node, reader)?;
    }
    if let Some(ignore_case) = fields.truth("ignoreCase", reader) {
        names.ignore_case = ignore_case;
    }
    super::finish(fields, &[], reader);
    Some(names)
}

fn patterns(key: &'static str, node: &Node, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let nodes = reader.list(key, node)?;
    let patterns = nodes.iter().filter_map(|node| pattern(key, node, reader));
    Some(patterns.collect())
}

fn pattern(key: &'static str, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    if node.is_nothing() {
        let text = format!("A pattern of “{key}” is text, but here stands nothing.");
        reader.problem(Problem::at(node.at, text).hint("Write “.*” to mean every name."));
        return None;
    }
    let pattern = reader.text(key, node)?;
    let Err(error) = Regex::new(&pattern) else {
        return Some(pattern);
    };
    let written = match &node.value {
        Value::Scalar(scalar) => quoted(&scalar.text),
        Value::List(_) | Value::Mapping(_) => String::new(),
    };
    let (reason, hint) = why_no_pattern(&error);
    let text = format!("The pattern {written} cannot be read: {reason}.");
    reader.problem(Problem::at(node.at, text).hint(hint));
    None
}

/// Why a pattern cannot be read, without repeating it, and what to do.
fn why_no_pattern(error: &regex::Error) -> (String, &'static str) {
    let full = error.to_string();
    let reason = full
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("error: "))
        .unwrap_or("it is too large");
    let hint = if reason.contains("look-around") {
        "Put what must not match into “deny” instead."
    } else if reason.contains("backreference") {
        "Write out the names that are meant."
    } else if reason.contains("repetition operator missing") {
        "Patterns are regular expressions: write “.*” where “*” was meant."
    } else {
        "Patterns are regular expressions: put a backslash before a letter that is meant as it is."
    };
    (reason.to_owned(), hint)
}

impl Draft {
    /// Hands the keys over to the source; patterns too large to use are none.
    fn into_settings(self) -> Option<Settings> {
        let identity = match (self.access_key, self.profile) {
            (Some(key), _) => Identity::Keys {
                id: key.id,
                secret: key.secret,
                session_token: key.session_token,
            },
            (None, Some(profile)) => Identity::Profile(profile),
            (None, None) => Identity::Chain,
        };
        let role = |role: Role| AssumeRole {
            arn: role.arn,
            external_id: role.external_id,
        };
        Some(Settings {
            region: self.region,
            identity,
            roles: self.roles.into_iter().map(role).collect(),
            endpoint_url: self.endpoint_url,
            catalog_id: self.catalog_id,
            platform_instance: self.platform_instance,
            env: self.env,
            databases: self.databases.into_pattern()?,
            tables: self.tables.into_pattern()?,
            ignore_resource_links: self.ignore_resource_links,
            extract_owners: self.extract_owners,
            ..Settings::default()
        })
    }
}
