//! The keys of a Glue source, in the words that recipes for DataHub already use.

use super::limits;
use super::node::{Node, Value};
use super::pattern;
use super::problem::Problem;
use super::reader::{Fields, Idle, Reader};
use crate::sources::glue::{AssumeRole, AwsCredentials, Settings};

/// The keys that are acted on.
const KEYS: [&str; 18] = [
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
    "limits",
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
        reason: "What vanishes is always marked as removed, within the share in “remove”.",
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

/// Reads `source.config`; without one, everything is as the environment says.
pub(super) fn read(node: Option<&Node>, reader: &mut Reader<'_>) -> Settings {
    let Some(mut fields) = node.and_then(|node| reader.mapping("source.config", node)) else {
        return Settings::default();
    };
    let settings = settings(&mut fields, reader);
    check_platform(&mut fields, reader);
    check_delta(&mut fields, reader);
    super::finish(fields, &IDLE, reader);
    settings
}

fn settings(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Settings {
    let defaults = Settings::default();
    Settings {
        region: fields.text("aws_region", reader),
        identity: identity(fields, reader),
        roles: roles(fields, reader),
        endpoint_url: endpoint_url(fields, reader),
        catalog_id: catalog_id(fields, reader),
        platform_instance: fields.text("platform_instance", reader),
        env: fields
            .text("env", reader)
            .map(|env| env.to_ascii_uppercase()),
        databases: pattern::names("database_pattern", fields, reader),
        tables: pattern::names("table_pattern", fields, reader),
        ignore_resource_links: fields
            .truth("ignore_resource_links", reader)
            .unwrap_or(defaults.ignore_resource_links),
        extract_owners: fields
            .truth("extract_owners", reader)
            .unwrap_or(defaults.extract_owners),
        limits: limits::read(fields, reader),
        ..defaults
    }
}

/// An access key comes before a profile; without either it is whoever the machine says.
fn identity(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> AwsCredentials {
    let profile = fields.text("aws_profile", reader);
    match (access_key(fields, reader), profile) {
        (Some(key), None) => key,
        (Some(key), Some(_)) => {
            let text = "“aws_profile” is not acted on. The access key is used instead.";
            reader.notice(fields.place("aws_profile"), text);
            key
        }
        (None, Some(profile)) => AwsCredentials::Profile(profile),
        (None, None) => AwsCredentials::Chain,
    }
}

fn access_key(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<AwsCredentials> {
    let before = reader.problems.len();
    let id = fields.text("aws_access_key_id", reader);
    let secret = fields.text("aws_secret_access_key", reader);
    let session_token = fields.text("aws_session_token", reader);
    if reader.problems.len() > before {
        return None;
    }

    match (id, secret) {
        (Some(id), Some(secret)) => Some(AwsCredentials::Keys {
            id: id.into(),
            secret: secret.into(),
            session_token: session_token.map(Into::into),
        }),
        (None, None) if session_token.is_none() => None,
        (id, secret) => {
            let (given, missing) = match id {
                Some(_) => ("aws_access_key_id", "aws_secret_access_key"),
                None if secret.is_some() => ("aws_secret_access_key", "aws_access_key_id"),
                None => ("aws_session_token", "aws_access_key_id"),
            };
            let text = format!("“{given}” is given, but “{missing}” is missing or empty.");
            let problem = Problem::at(fields.place(given), text)
                .hint("Give both, or neither to use the profile or the role of this machine.");
            reader.problem(problem);
            None
        }
    }
}

/// Reads one role or several, each by its ARN or with what goes with it.
fn roles(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Vec<AssumeRole> {
    let Some(node) = fields.find("aws_role") else {
        return Vec::new();
    };
    let nodes = match &node.value {
        Value::List(nodes) => nodes.as_slice(),
        Value::Scalar(_) | Value::Mapping(_) => std::slice::from_ref(node),
    };
    nodes.iter().filter_map(|node| role(node, reader)).collect()
}

fn role(node: &Node, reader: &mut Reader<'_>) -> Option<AssumeRole> {
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
        return Some(AssumeRole { arn, external_id });
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
