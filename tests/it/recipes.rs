//! Recipes, as files that people write.

use std::path::{Path, PathBuf};

use gazetteer::ingest::recipe::{Notice, Problems, Recipe, list_recipes};
use gazetteer::sources::Source;
use gazetteer::sources::glue::{AwsCredentials, Limits, Settings, Size};
use insta::assert_snapshot;
use secrecy::ExposeSecret as _;

/// The environment that the recipes of these tests see.
fn environment(name: &str) -> Option<String> {
    match name {
        "REGION" => Some("eu-central-1".to_owned()),
        "SECRET" => Some("hunter2: [#\"'${REGION}".to_owned()),
        "STAGE" => Some("dev".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Recipe, Problems> {
    Recipe::read(Path::new("shop.yml"), text, &environment)
}

fn problems(text: &str) -> String {
    let problems = read(text).expect_err("this recipe has problems");
    problems.to_string()
}

fn notices(recipe: &Recipe) -> String {
    let notice = |notice: &Notice| {
        let position = notice.position;
        format!("{}:{}: {}", position.line, position.column, notice.text)
    };
    recipe
        .notices
        .iter()
        .map(notice)
        .collect::<Vec<_>>()
        .join("\n")
}

fn settings(recipe: &Recipe) -> &Settings {
    let Source::Glue(settings) = &recipe.source;
    settings
}

#[test]
fn an_existing_recipe_works_as_it_is() {
    let recipe = read(
        r#"
# nightly
pipeline_name: glue-nightly
source:
  type: glue
  config:
    aws_region: ${REGION}
    aws_access_key_id: AKIAEXAMPLE
    aws_secret_access_key: "${SECRET}"
    aws_session_token: ${EMPTY:-}
    aws_role:
      - arn:aws:iam::123456789012:role/first
      - RoleArn: "arn:aws:iam::210987654321:role/second"
        ExternalId: 42
        DurationSeconds: 900
    catalog_id: 012345678901
    platform_instance: shop
    env: PROD
    database_pattern:
      allow: ["^analytics", shop$]
      deny:
        - "_tmp$"
    table_pattern: {deny: ['shop\.staging_'], ignoreCase: False}
    ignore_resource_links: true
    extract_owners: yes
    extract_transforms: false
    emit_s3_lineage: true
    glue_s3_lineage_direction: upstream
    use_s3_bucket_tags: no
    profiling:
      enabled: false
      table_level: true
    stateful_ingestion:
      enabled: true
      remove_stale_metadata: true
transformers:
  - type: simple_add_dataset_tags
    config: {tag_urns: ["urn:li:tag:a"]}
sink:
  type: datahub-rest
  config:
    server: http://localhost:8080
    token: ${DATAHUB_TOKEN}
"#,
    )
    .unwrap();

    assert_eq!(recipe.name, "shop");
    assert_eq!(recipe.title(), "glue-nightly");
    assert!(recipe.schedule.is_none());
    assert_eq!(recipe.remove.to_string(), "20 %");
    assert_snapshot!(format!("{:#?}", settings(&recipe)), @r#"
    Settings {
        region: Some(
            "eu-central-1",
        ),
        identity: Keys {
            id: SecretBox<str>([REDACTED]),
            secret: SecretBox<str>([REDACTED]),
            session_token: None,
        },
        roles: [
            AssumeRole {
                arn: "arn:aws:iam::123456789012:role/first",
                external_id: None,
            },
            AssumeRole {
                arn: "arn:aws:iam::210987654321:role/second",
                external_id: Some(
                    "42",
                ),
            },
        ],
        endpoint_url: None,
        catalog_id: Some(
            "012345678901",
        ),
        platform_instance: Some(
            "shop",
        ),
        env: Some(
            "PROD",
        ),
        databases: Pattern {
            everything: false,
            allow: [
                "^analytics",
                "shop$",
            ],
            deny: [
                "_tmp$",
            ],
            ignore_case: true,
        },
        tables: Pattern {
            everything: false,
            allow: [
                ".*",
            ],
            deny: [
                "shop\\.staging_",
            ],
            ignore_case: false,
        },
        ignore_resource_links: true,
        extract_owners: true,
        parallel_databases: 4,
        page_size: 100,
        first_pause: 1s,
        limits: Limits {
            answer_size: Size(
                16777216,
            ),
            answer_rows: 10000,
            table_size: Size(
                4194304,
            ),
            table_columns: 10000,
            name_size: Size(
                16384,
            ),
            pages_per_listing: 5000,
            pages: 50000,
            databases: 10000,
            tables_per_database: 500000,
        },
    }
    "#);
    assert_snapshot!(notices(&recipe), @r"
    15:9: “DurationSeconds” is not acted on. Sessions are renewed as long as a run lasts.
    27:5: “emit_s3_lineage” is not acted on. Lineage is not read yet.
    28:5: “glue_s3_lineage_direction” is not acted on. Lineage is not read yet.
    33:5: “stateful_ingestion” is not acted on. What vanishes is always marked as removed, within the share in “remove”.
    36:1: “transformers” is not acted on. What a source says is stored as it says it.
    39:1: “sink” is not acted on. What is read goes into this catalog.
    ");
}

#[test]
fn every_recipe_of_the_project_can_be_read() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("ingest-recipes");
    let nothing = |_: &str| None;

    for listed in list_recipes(&folder, &nothing).unwrap() {
        if let Err(problems) = listed.recipe {
            panic!("{problems}");
        }
    }
}

#[test]
fn the_smallest_recipe_has_sensible_defaults() {
    let recipe = read("source: {type: glue, config: {aws_region: eu-central-1}}").unwrap();

    let settings = settings(&recipe);
    assert_eq!(settings.region.as_deref(), Some("eu-central-1"));
    assert!(matches!(settings.identity, AwsCredentials::Chain));
    assert!(settings.databases.allows("any") && settings.tables.allows("any.thing"));
    assert!(settings.extract_owners && !settings.ignore_resource_links);
    assert_eq!(recipe.title(), "shop");
    assert_eq!(recipe.remove.to_string(), "20 %");
    assert_eq!(notices(&recipe), "");
}

#[test]
fn patterns_mean_what_they_mean_elsewhere() {
    let recipe = read(
        "
source:
  type: glue
  config:
    database_pattern: {allow: [shop, 'mart_.*$'], deny: [shop_tmp]}
    table_pattern: {allow: ['Shop\\.'], ignoreCase: false}
",
    )
    .unwrap();

    let settings = settings(&recipe);
    assert!(settings.databases.allows("SHOP_eu"));
    assert!(!settings.databases.allows("workshop"));
    assert!(!settings.databases.allows("Shop_Tmp_2"));
    assert!(settings.tables.allows("Shop.orders"));
    assert!(!settings.tables.allows("shop.orders"));
}

#[test]
fn one_role_is_as_good_as_a_list() {
    let roles = |written: &str| {
        let text = format!("source: {{type: glue, config: {{aws_role: {written}}}}}");
        let recipe = read(&text).unwrap();
        let roles = settings(&recipe).roles.iter();
        roles
            .map(|role| format!("{} {:?}", role.arn, role.external_id))
            .collect::<Vec<_>>()
    };

    assert_eq!(roles("arn:a"), ["arn:a None"]);
    assert_eq!(roles("[arn:a, arn:b]"), ["arn:a None", "arn:b None"]);
    assert_eq!(
        roles("{RoleArn: arn:a, ExternalId: 007}"),
        ["arn:a Some(\"007\")"]
    );
    assert_eq!(
        roles("[{RoleArn: arn:a}, arn:b]"),
        ["arn:a None", "arn:b None"]
    );
    assert!(roles("[]").is_empty());
    assert!(roles("").is_empty());
}

#[test]
fn an_access_key_comes_before_a_profile() {
    let recipe = read(
        "
source:
  type: glue
  config: {aws_access_key_id: a, aws_secret_access_key: b, aws_profile: c}
",
    )
    .unwrap();

    assert!(matches!(
        settings(&recipe).identity,
        AwsCredentials::Keys { .. }
    ));
    assert_snapshot!(notices(&recipe), @"4:60: “aws_profile” is not acted on. The access key is used instead.");
}

#[test]
fn every_key_of_theirs_that_is_not_acted_on_is_noticed() {
    let keys = [
        "aws_advanced_config",
        "aws_proxy",
        "aws_retry_mode",
        "aws_retry_num",
        "catalog_to_platform_instance",
        "domain",
        "emit_s3_lineage",
        "emit_storage_lineage",
        "extract_column_parameters",
        "extract_lakeformation_column_tags",
        "extract_lakeformation_tags",
        "extract_transforms",
        "glue_s3_lineage_direction",
        "glue_storage_lineage_direction",
        "ignore_unsupported_connectors",
        "include_column_lineage",
        "include_view_lineage",
        "incremental_lineage",
        "incremental_properties",
        "profiling",
        "propagate_lakeformation_tags",
        "read_timeout",
        "resolve_resource_link_schema",
        "stateful_ingestion",
        "target_platform_configs",
        "underlying_platform",
        "use_s3_bucket_tags",
        "use_s3_object_tags",
    ];
    let config: String = keys.iter().map(|key| format!("    {key}: 1\n")).collect();

    let recipe = read(&format!("source:\n  type: glue\n  config:\n{config}")).unwrap();
    assert_eq!(recipe.notices.len(), keys.len());
}

#[test]
fn a_schedule_and_a_share_are_read() {
    let recipe = read(
        "
source: {type: glue, config: {aws_region: eu-central-1}}
schedule: {cron: 0 6 * * *, timezone: Europe/Berlin}
remove: {at_most: 100%}
",
    )
    .unwrap();

    let schedule = recipe.schedule.unwrap();
    assert_eq!(schedule.in_words(), "Every day at 06:00, Europe/Berlin");
    assert!(recipe.remove.allows(10, 10));
}

#[test]
fn all_problems_are_told_at_once() {
    let told = problems(
        r#"
sources: 1
pipelinename: x
source:
  type: gleu
  kind: glue
  config:
    aws_regoin: eu-central-1
    awsRegion: eu-central-1
    aws_access_key_id: AKIAEXAMPLE
    aws_role: [admin, {RoleArn: 1}, {ExternalID: x}, []]
    endpoint_url: localhost:4566
    catalog_id: 12345678901
    database_pattern:
      allow: "^a"
      deny: ["a(", "*_tmp", "^(?!x)", ~, "(a)\\1"]
      ignore_case: true
    table_pattern: [a]
    ignore_resource_links: maybe
    cron: x
    wholly_unknown_thing: 1
schedule:
  cron: "0 0 6 * * *"
  timezone: Europe/Berlim
remove: {at_most: 0.2}
schedule: {}
"#,
    );

    assert_snapshot!(told, @r"
    shop.yml:2:1: There is no key “sources” in this recipe.
      hint: Did you mean “source”?
    shop.yml:3:1: There is no key “pipelinename” in this recipe.
      hint: Did you mean “pipeline_name”?
    shop.yml:5:9: There is no type of source named “gleu”.
      hint: Did you mean “glue”?
    shop.yml:6:3: There is no key “kind” in “source”.
      hint: The keys here are config, type.
    shop.yml:8:5: There is no key “aws_regoin” in “source.config”.
      hint: Did you mean “aws_region”?
    shop.yml:9:5: There is no key “awsRegion” in “source.config”.
      hint: Did you mean “aws_region”?
    shop.yml:10:5: “aws_access_key_id” is given, but “aws_secret_access_key” is missing or empty.
      hint: Give both, or neither to use the profile or the role of this machine.
    shop.yml:11:16: A role is named by its ARN, which begins with “arn:”.
      hint: Write it like “arn:aws:iam::123456789012:role/catalog-reader”.
    shop.yml:11:33: A role is named by its ARN, which begins with “arn:”.
      hint: Write it like “arn:aws:iam::123456789012:role/catalog-reader”.
    shop.yml:11:37: “RoleArn” is missing in “aws_role”.
    shop.yml:11:38: There is no key “ExternalID” in “aws_role”.
      hint: Did you mean “ExternalId”?
    shop.yml:11:54: “aws_role” is text, but here stands a list.
    shop.yml:12:5: “endpoint_url” is an address that begins with “http://” or “https://”.
    shop.yml:13:17: An account number has 12 digits, but this has 11.
      hint: Leading zeros count.
    shop.yml:15:14: “allow” is a list, but here stands text.
      hint: Put brackets around it.
    shop.yml:16:14: The pattern “a(” cannot be read: unclosed group.
      hint: Patterns are regular expressions: put a backslash before a letter that is meant as it is.
    shop.yml:16:20: The pattern “*_tmp” cannot be read: repetition operator missing expression.
      hint: Patterns are regular expressions: write “.*” where “*” was meant.
    shop.yml:16:29: The pattern “^(?!x)” cannot be read: look-around, including look-ahead and look-behind, is not supported.
      hint: Put what must not match into “deny” instead.
    shop.yml:16:39: A pattern of “deny” is text, but here stands nothing.
      hint: Write “.*” to mean every name.
    shop.yml:16:42: The pattern “(a)\1” cannot be read: backreferences are not supported.
      hint: Write out the names that are meant.
    shop.yml:17:7: There is no key “ignore_case” in “database_pattern”.
      hint: Did you mean “ignoreCase”?
    shop.yml:18:20: “table_pattern” is a mapping of keys and values, but here stands a list.
    shop.yml:19:28: “ignore_resource_links” is true or false, but here stands text.
    shop.yml:20:5: There is no key “cron” in “source.config”.
      hint: It belongs into “schedule”.
    shop.yml:21:5: There is no key “wholly_unknown_thing” in “source.config”.
      hint: The keys here are aws_access_key_id, aws_endpoint_url, aws_profile, aws_region, aws_role, aws_secret_access_key, aws_session_token, catalog_id, database_pattern, endpoint_url, env, extract_delta_schema_from_parameters, extract_owners, ignore_resource_links, limits, platform, platform_instance, table_pattern.
    shop.yml:23:9: A schedule has five fields, but here are 6.
      hint: Leave out seconds and years: minute, hour, day of the month, month, day of the week.
    shop.yml:24:13: There is no time zone named “Europe/Berlim”.
      hint: Did you mean “Europe/Berlin”?
    shop.yml:25:19: “0.2” is not a share from 0% to 100%.
      hint: Write it with a percent sign and at most two decimals, such as “20%”.
    shop.yml:26:1: “schedule” is given twice here, first in line 22.
    ");
}

#[test]
fn the_problems_of_a_source_of_glue_are_told_at_once() {
    let told = problems(
        r#"
source:
  type: glue
  config:
    aws_regoin: eu-central-1
    awsRegion: eu-central-1
    aws_access_key_id: AKIAEXAMPLE
    aws_role: [admin, {RoleArn: 1}, {ExternalID: x}, []]
    endpoint_url: localhost:4566
    catalog_id: 12345678901
    database_pattern:
      allow: "^a"
      deny: ["a(", "*_tmp", "^(?!x)", ~, "(a)\\1"]
      ignore_case: true
    table_pattern: [a]
    ignore_resource_links: maybe
    cron: x
    wholly_unknown_thing: 1
    aws_profile: true
    platform_instance: {}
    extract_owners: 3
    aws_secret_key_id: x
database_patern: {}
schedule: "0 6 * * *"
remove: {at_most: 20, atmost: 3}
"#,
    );

    assert_snapshot!(told, @r#"
    shop.yml:5:5: There is no key “aws_regoin” in “source.config”.
      hint: Did you mean “aws_region”?
    shop.yml:6:5: There is no key “awsRegion” in “source.config”.
      hint: Did you mean “aws_region”?
    shop.yml:7:5: “aws_access_key_id” is given, but “aws_secret_access_key” is missing or empty.
      hint: Give both, or neither to use the profile or the role of this machine.
    shop.yml:8:16: A role is named by its ARN, which begins with “arn:”.
      hint: Write it like “arn:aws:iam::123456789012:role/catalog-reader”.
    shop.yml:8:33: A role is named by its ARN, which begins with “arn:”.
      hint: Write it like “arn:aws:iam::123456789012:role/catalog-reader”.
    shop.yml:8:37: “RoleArn” is missing in “aws_role”.
    shop.yml:8:38: There is no key “ExternalID” in “aws_role”.
      hint: Did you mean “ExternalId”?
    shop.yml:8:54: “aws_role” is text, but here stands a list.
    shop.yml:9:5: “endpoint_url” is an address that begins with “http://” or “https://”.
    shop.yml:10:17: An account number has 12 digits, but this has 11.
      hint: Leading zeros count.
    shop.yml:12:14: “allow” is a list, but here stands text.
      hint: Put brackets around it.
    shop.yml:13:14: The pattern “a(” cannot be read: unclosed group.
      hint: Patterns are regular expressions: put a backslash before a letter that is meant as it is.
    shop.yml:13:20: The pattern “*_tmp” cannot be read: repetition operator missing expression.
      hint: Patterns are regular expressions: write “.*” where “*” was meant.
    shop.yml:13:29: The pattern “^(?!x)” cannot be read: look-around, including look-ahead and look-behind, is not supported.
      hint: Put what must not match into “deny” instead.
    shop.yml:13:39: A pattern of “deny” is text, but here stands nothing.
      hint: Write “.*” to mean every name.
    shop.yml:13:42: The pattern “(a)\1” cannot be read: backreferences are not supported.
      hint: Write out the names that are meant.
    shop.yml:14:7: There is no key “ignore_case” in “database_pattern”.
      hint: Did you mean “ignoreCase”?
    shop.yml:15:20: “table_pattern” is a mapping of keys and values, but here stands a list.
    shop.yml:16:28: “ignore_resource_links” is true or false, but here stands text.
    shop.yml:17:5: There is no key “cron” in “source.config”.
      hint: It belongs into “schedule”.
    shop.yml:18:5: There is no key “wholly_unknown_thing” in “source.config”.
      hint: The keys here are aws_access_key_id, aws_endpoint_url, aws_profile, aws_region, aws_role, aws_secret_access_key, aws_session_token, catalog_id, database_pattern, endpoint_url, env, extract_delta_schema_from_parameters, extract_owners, ignore_resource_links, limits, platform, platform_instance, table_pattern.
    shop.yml:19:18: “aws_profile” is text, but here stands true or false.
      hint: Quote it to mean the word.
    shop.yml:20:24: “platform_instance” is text, but here stands a mapping.
    shop.yml:21:21: “extract_owners” is true or false, but here stands a number.
    shop.yml:22:5: There is no key “aws_secret_key_id” in “source.config”.
      hint: Did you mean “aws_access_key_id”?
    shop.yml:23:1: There is no key “database_patern” in this recipe.
      hint: Did you mean “database_pattern”, which belongs into “source.config”?
    shop.yml:24:11: “schedule” is a mapping, but here stands text.
      hint: Write it as “schedule: {cron: "0 6 * * *"}”.
    shop.yml:25:19: “20” is not a share from 0% to 100%.
      hint: Write it with a percent sign and at most two decimals, such as “20%”.
    shop.yml:25:23: There is no key “atmost” in “remove”.
      hint: Did you mean “at_most”?
    "#);
}

#[test]
fn what_is_missing_is_named() {
    assert_snapshot!(problems("pipeline_name: x"), @"shop.yml:1:1: “source” is missing in this recipe.");
    assert_snapshot!(problems("source:"), @"shop.yml:1:1: “source” is missing in this recipe.");
    assert_snapshot!(problems("source: {}"), @"shop.yml:1:9: “type” is missing in “source”.");
    assert_snapshot!(problems("source: glue"), @"shop.yml:1:9: “source” is a mapping of keys and values, but here stands text.");
    assert_snapshot!(problems("source: {type: glue, config: {aws_region: a}}\nschedule: {}"), @"shop.yml:2:11: “cron” is missing in “schedule”.");
}

#[test]
fn half_of_an_access_key_is_no_access_key() {
    let with = |keys: &str| {
        problems(&format!(
            "source: {{type: glue, config: {{aws_region: a, {keys}}}}}"
        ))
    };

    assert_snapshot!(with("aws_access_key_id: AKIA"), @r"
    shop.yml:1:46: “aws_access_key_id” is given, but “aws_secret_access_key” is missing or empty.
      hint: Give both, or neither to use the profile or the role of this machine.
    ");
    assert_snapshot!(with("aws_secret_access_key: hunter2"), @r"
    shop.yml:1:46: “aws_secret_access_key” is given, but “aws_access_key_id” is missing or empty.
      hint: Give both, or neither to use the profile or the role of this machine.
    ");
    assert_snapshot!(with("aws_session_token: hunter2"), @r"
    shop.yml:1:46: “aws_session_token” is given, but “aws_access_key_id” is missing or empty.
      hint: Give both, or neither to use the profile or the role of this machine.
    ");
    assert_snapshot!(with("aws_access_key_id: AKIA, aws_secret_access_key: '${EMPTY}'"), @r"
    shop.yml:1:46: “aws_access_key_id” is given, but “aws_secret_access_key” is missing or empty.
      hint: Give both, or neither to use the profile or the role of this machine.
    ");
}

#[test]
fn both_names_of_the_endpoint_are_one_too_many() {
    let told = problems(
        "
source:
  type: glue
  config:
    aws_region: a
    aws_endpoint_url: http://localhost:1
    endpoint_url: http://localhost:2
",
    );

    assert_snapshot!(told, @r"
    shop.yml:7:5: “endpoint_url” and “aws_endpoint_url” mean the same, but both are given.
      hint: Leave one of them out.
    ");
}

#[test]
fn a_variable_that_is_not_set_is_named_where_it_is_used() {
    let told = problems(
        "
source:
  type: glue
  config:
    aws_region: ${NO_REGION}
    aws_profile: $NO_PROFILE
    database_pattern: {allow: ['${NO_PATTERN']}
    extract_owners: ${NO_OWNERS}
schedule: {cron: '${NO CRON}'}
",
    );

    assert_snapshot!(told, @r"
    shop.yml:5:17: The environment variable “NO_REGION” is not set.
      hint: Set it, or give a default with “${NO_REGION:-default}”.
    shop.yml:6:18: The environment variable “NO_PROFILE” is not set.
      hint: Set it, or give a default with “${NO_PROFILE:-default}”.
    shop.yml:7:32: A “${” is never closed with “}”.
      hint: Write “${VAR}” or “${VAR:-default}”; write “$${” for “${” itself.
    shop.yml:8:21: The environment variable “NO_OWNERS” is not set.
      hint: Set it, or give a default with “${NO_OWNERS:-default}”.
    shop.yml:9:18: What stands between “${” and “}” is not the name of a variable.
      hint: Write “${VAR}” or “${VAR:-default}”; write “$${” for “${” itself.
    ");
}

#[test]
fn what_a_variable_holds_is_never_told() {
    let told = problems(
        "
source:
  type: ${SECRET}
  config:
    aws_region: a
    catalog_id: ${SECRET}
    endpoint_url: ${SECRET}
    aws_role: ${SECRET}
    extract_owners: ${SECRET}
    database_pattern: {allow: ['${SECRET}']}
schedule: {cron: '${SECRET}', timezone: '${SECRET}'}
remove: {at_most: '${SECRET}'}
",
    );

    assert!(!told.contains("hunter2"));
    assert_snapshot!(told, @r"
    shop.yml:3:9: There is no type of source named “${SECRET}”.
      hint: The type that can be read is “glue”.
    shop.yml:11:18: What “${SECRET}” stands for cannot be used here.
      hint: Write minute, hour, day of the month, month, day of the week, such as “0 6 * * *”.
    shop.yml:11:41: What “${SECRET}” stands for cannot be used here.
      hint: Name it by region and city, such as “Europe/Berlin”, or write “UTC”.
    shop.yml:12:19: “${SECRET}” is not a share from 0% to 100%.
      hint: Write it with a percent sign and at most two decimals, such as “20%”.
    ");
}

#[test]
fn a_secret_is_never_told_even_where_it_is_written_wrongly() {
    let told = [
        "source: {type: glue, config: {aws_secret_access_key:hunter2, aws_region: a}}",
        "source: {type: glue, config: {aws_secret_access_key=hunter2, aws_region: a}}",
        "source:\n  type: glue\n  config:\n    aws_region: a\n    aws_secret_access_key:hunter2",
        "source:\n  type: glue\n  config:\n    aws_secret_access_key:hunter2",
        "source: {type: glue, config: {aws_secret_access_key: [hunter2]}}",
        "source: {type: glue, config: {aws_secret_access_key: {hunter2: hunter2}}}",
        "source: {type: glue, config: {aws_secret_acess_key: hunter2}}",
        "source: {type: glue, config: {aws_secret_access_key: hunter2, aws_secret_access_key: hunter2}}",
        "source: {type: glue, config: {aws_secret_access_key: !hunter2 hunter2}}",
        "source: {type: glue, config: {aws_secret_access_key: '${hunter2'}}",
        "aws_secret_access_key: \"hunter2",
        "aws_secret_access_key: @hunter2",
        "aws_secret_access_key: *hunter2",
        "aws_secret_access_key: hunter2: hunter2",
    ]
    .map(problems);

    let told = told.join("\n");
    assert_snapshot!(told, @r"
    shop.yml:1:31: There is no key “aws_secret_access_key” in “source.config”.
      hint: Put a colon and a space after the key.
    shop.yml:1:31: There is no key “aws_secret_access_key” in “source.config”.
      hint: Put a colon and a space after the key.
    shop.yml:6:1: This is not YAML: simple key expected.
      hint: Look at this line and the one before: indentation, quotes, a space after each colon.
    shop.yml:4:5: “source.config” is a mapping of keys and values, but here stands text.
    shop.yml:1:54: “aws_secret_access_key” is text, but here stands a list.
    shop.yml:1:54: “aws_secret_access_key” is text, but here stands a mapping.
    shop.yml:1:31: There is no key “aws_secret_acess_key” in “source.config”.
      hint: Did you mean “aws_secret_access_key”?
    shop.yml:1:31: “aws_secret_access_key” is given, but “aws_access_key_id” is missing or empty.
      hint: Give both, or neither to use the profile or the role of this machine.
    shop.yml:1:63: “aws_secret_access_key” is given twice here, first in line 1.
    shop.yml:1:31: “aws_secret_access_key” is given, but “aws_access_key_id” is missing or empty.
      hint: Give both, or neither to use the profile or the role of this machine.
    shop.yml:1:54: A tag, which begins with “!”, means nothing in a recipe.
      hint: Leave it out, or quote a value that begins with “!”.
    shop.yml:1:54: A “${” is never closed with “}”.
      hint: Write “${VAR}” or “${VAR:-default}”; write “$${” for “${” itself.
    shop.yml:1:24: This is not YAML: while scanning a quoted scalar, found unexpected end of stream.
      hint: Look at this line and the one before: indentation, quotes, a space after each colon.
    shop.yml:1:24: This is not YAML: unexpected character: `@'.
      hint: Look at this line and the one before: indentation, quotes, a space after each colon.
    shop.yml:1:24: This is not YAML: while parsing node, found unknown anchor.
      hint: Look at this line and the one before: indentation, quotes, a space after each colon.
    shop.yml:1:31: This is not YAML: mapping values are not allowed in this context.
      hint: Look at this line and the one before: indentation, quotes, a space after each colon.
    ");
    assert!(!told.contains("hunter2"));
}

#[test]
fn a_recipe_never_shows_its_secrets() {
    let recipe = read(
        "
source:
  type: glue
  config:
    aws_region: ${REGION}
    aws_access_key_id: ${REGION} # my key
    aws_secret_access_key: hunter2
    aws_session_token: >-
      hunter2
      hunter2
    # aws_secret_access_key: hunter2
sink: {type: datahub-rest, config: {server: 'http://me:hunter2@localhost', token: hunter2}}
",
    )
    .unwrap();

    assert!(!format!("{recipe:?}").contains("hunter2"));
    assert_snapshot!(recipe.masked_text, @r"

    source:
      type: glue
      config:
        aws_region: ${REGION}
        aws_access_key_id: •••• # my key
        aws_secret_access_key: ••••
        aws_session_token: >-
          ••••
        # aws_secret_access_key: ••••
    sink: {type: datahub-rest, config: {server: 'http://••••@localhost', token: ••••}}
    ");
}

#[test]
fn a_file_as_some_editors_save_it_is_read_alike() {
    let text = "\u{feff}---\r\nsource:\r\n  type: glue\r\n  config:\r\n    aws_region: a\r\n";
    assert!(read(text).is_ok());

    let told = problems(&text.replace("type", "typo"));
    assert_snapshot!(told, @r"
    shop.yml:3:3: “type” is missing in “source”.
    shop.yml:3:3: There is no key “typo” in “source”.
      hint: Did you mean “type”?
    ");
}

#[test]
fn anchors_aliases_and_merges_stand_for_what_they_name() {
    let recipe = read(
        "
source:
  type: glue
  config:
    aws_region: a
    database_pattern: &names {deny: [_tmp$], ignoreCase: false}
    table_pattern: {<<: *names, deny: [_old$]}
",
    );
    assert!(recipe.is_ok());

    let told = problems(
        "
source:
  type: glue
  config:
    aws_region: a
    database_pattern: &names {deny: [a(], ignoreCas: false}
    table_pattern: {<<: [*names, 3]}
",
    );
    assert_snapshot!(told, @r"
    shop.yml:6:38: The pattern “a(” cannot be read: unclosed group.
      hint: Patterns are regular expressions: put a backslash before a letter that is meant as it is.
    shop.yml:6:43: There is no key “ignoreCas” in “database_pattern”.
      hint: Did you mean “ignoreCase”?
    shop.yml:6:43: There is no key “ignoreCas” in “table_pattern”.
      hint: Did you mean “ignoreCase”?
    shop.yml:7:34: “<<” takes in another mapping, but here stands none.
    ");
}

#[test]
fn what_is_no_recipe_is_refused_with_its_place() {
    assert_snapshot!(problems(""), @r"
    shop.yml: The file is empty.
      hint: Begin with “source:”.
    ");
    assert_snapshot!(problems("# nothing\n"), @r"
    shop.yml: The file is empty.
      hint: Begin with “source:”.
    ");
    assert_snapshot!(problems("~"), @r"
    shop.yml: The file is empty.
      hint: Begin with “source:”.
    ");
    assert_snapshot!(problems("- source"), @"shop.yml:1:1: A recipe is a mapping of keys and values, but here stands a list.");
    assert_snapshot!(problems("just words"), @"shop.yml:1:1: A recipe is a mapping of keys and values, but here stands text.");
    assert_snapshot!(problems("source:\n\ttype: glue"), @r"
    shop.yml:2:2: This is not YAML: tabs disallowed within this context (block indentation).
      hint: YAML is indented with spaces, never with tabs.
    ");
    assert_snapshot!(problems("source: {type: glue"), @r"
    shop.yml:2:1: This is not YAML: while parsing a flow mapping, did not find expected ',' or '}'.
      hint: Look at this line and the one before: indentation, quotes, a space after each colon.
    ");
    assert_snapshot!(problems("source: 1\n---\nsource: 2\n"), @r"
    shop.yml:3:1: A recipe is one document, but this file has 2.
      hint: Put each recipe into a file of its own.
    ");
    assert_snapshot!(problems("source: 1\n---\n"), @r"
    shop.yml:3:1: A recipe is one document, but this file has 2.
      hint: Put each recipe into a file of its own.
    ");
    assert_snapshot!(problems("? {a: b}\n: c"), @r"
    shop.yml:1:3: A key of a recipe is a word, but here stands a list or a mapping.
      hint: Quote a value that begins with “{” or “[”.
    ");
    assert_snapshot!(problems("source: !!python/object:os.system x"), @r"
    shop.yml:1:9: A tag, which begins with “!”, means nothing in a recipe.
      hint: Leave it out, or quote a value that begins with “!”.
    shop.yml:1:9: “source” is a mapping of keys and values, but here stands text.
    ");
    assert_snapshot!(problems("\u{1b}[31mred: 1\n\"\\e[31mred\": 1"), @r"
    shop.yml:1:1: “source” is missing in this recipe.
    shop.yml:1:1: There is no key “�[31mred” in this recipe.
      hint: The keys here are pipeline_name, remove, schedule, source.
    shop.yml:2:1: “�[31mred” is given twice here, first in line 1.
    ");
}

#[test]
fn what_is_made_to_exhaust_is_refused_at_once() {
    let deep = "[".repeat(250_000);
    let wide = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
    let large = "#".repeat(10 * 1024 * 1024);
    let many: String = (0..20_000)
        .map(|number| format!("key{number}: 1\n"))
        .collect();

    assert_snapshot!(problems(&deep), @r"
    shop.yml:1:256: This is not YAML: recursion limit exceeded.
      hint: Look at this line and the one before: indentation, quotes, a space after each colon.
    ");
    assert_snapshot!(problems(wide), @"shop.yml:4:29: The aliases of this file stand for more than any recipe needs.");
    assert_snapshot!(problems("a: &a [*a]"), @"shop.yml:1:8: An alias stands inside the very thing that it stands for.");
    assert_snapshot!(problems(&large), @"shop.yml: A recipe has at most 256 KiB, but this file has 10240.");
    assert_snapshot!(problems(&many).lines().last().unwrap(), @"shop.yml: There are 19901 more problems.");
    assert_snapshot!(problems(&format!("{}: 1", "k".repeat(1000))), @r"
    shop.yml:1:1: “source” is missing in this recipe.
    shop.yml:1:1: There is no key “kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…” in this recipe.
      hint: The keys here are pipeline_name, remove, schedule, source.
    ");
}

#[test]
fn a_folder_lists_its_recipes_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let good = "source: {type: glue, config: {aws_region: a}}";
    for (file, text) in [
        ("b.yml", good),
        ("a.yaml", good),
        ("twice.yml", good),
        ("twice.yaml", good),
        ("bad.yml", "source: {}"),
        ("notes.txt", "no recipe"),
        (".hidden.yml", "no recipe"),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    std::fs::write(folder.path().join("latin.yml"), b"a: \xe4").unwrap();
    std::fs::write(folder.path().join("large.yml"), "#".repeat(3 * 1024 * 1024)).unwrap();
    std::fs::create_dir(folder.path().join("folder.yml")).unwrap();

    let listed = list_recipes(folder.path(), &environment).unwrap();
    let listed: Vec<_> = listed
        .into_iter()
        .map(|listed| match listed.recipe {
            Ok(recipe) => format!("{}: {}", listed.name, recipe.name),
            Err(problems) => format!("{}: {problems}", listed.name),
        })
        .collect();

    let listed = listed.join("\n");
    let listed = listed.replace(folder.path().to_str().unwrap(), "recipes");
    assert_snapshot!(listed, @r"
    a: a
    b: b
    bad: recipes/bad.yml:1:9: “type” is missing in “source”.
    large: recipes/large.yml: A recipe has at most 256 KiB, but this file has 3072.
    latin: recipes/latin.yml: Byte 4 of the file is not UTF-8.
      hint: Save it as UTF-8 text.
    twice: recipes/twice.yaml: The recipe “twice” is in several files: “twice.yaml” and “twice.yml”.
      hint: Rename or remove all but one.
    twice: recipes/twice.yml: The recipe “twice” is in several files: “twice.yaml” and “twice.yml”.
      hint: Rename or remove all but one.
    ");
}

#[test]
fn a_folder_that_is_not_there_holds_no_recipes() {
    let folder = tempfile::tempdir().unwrap();

    let missing = list_recipes(&folder.path().join("none"), &environment).unwrap();
    assert!(missing.is_empty());
}

#[test]
fn a_folder_that_cannot_be_read_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();

    let error = list_recipes(file.path(), &environment).unwrap_err();
    assert!(error.to_string().starts_with("The folder of recipes “"));
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    let problems = Recipe::open(Path::new("none.yml"), &environment).unwrap_err();

    assert_snapshot!(problems, @r"
    none.yml: There is no such file.
      hint: Give the path with its folder, as seen from where the command is started.
    ");
}

#[test]
fn a_folder_in_the_place_of_a_recipe_is_answered_with_a_recipe_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let told = |folder: &Path| {
        let problems = Recipe::open(folder, &environment).unwrap_err();
        let path = folder.display().to_string();
        problems.to_string().replace(&path, "recipes")
    };
    assert_snapshot!(told(folder.path()), @r"
    recipes: This is a folder, not a recipe.
      hint: Give a file in it that ends in “.yml”; it has none yet.
    ");

    std::fs::write(folder.path().join("shop.yml"), "source: {}").unwrap();
    assert_snapshot!(told(folder.path()), @r"
    recipes: This is a folder, not a recipe.
      hint: Give a file in it, such as “recipes/shop.yml”.
    ");
}

/// A recipe whose `config` has these lines beside its region.
fn with_config(lines: &[&str]) -> String {
    let lines = lines.join("\n    ");
    format!("source:\n  type: glue\n  config:\n    aws_region: a\n    {lines}\n")
}

#[test]
fn a_variable_without_braces_is_replaced_as_datahubs_loader_does_or_named() {
    let instance = |value: &str| {
        let recipe = read(&with_config(&[&format!("platform_instance: {value}")])).unwrap();
        settings(&recipe).platform_instance.clone().unwrap()
    };
    assert_eq!(instance("${REGION}-$STAGE"), "eu-central-1-dev");
    assert_eq!(instance("$REGION-$STAGE"), "eu-central-1-dev");
    assert_eq!(instance("prod-$STAGE"), "prod-$STAGE");

    let left = with_config(&[
        "platform_instance: prod-$STAGE",
        "aws_access_key_id: AKIA",
        "aws_secret_access_key: a$BOND",
    ]);
    assert_snapshot!(notices(&read(&left).unwrap()), @r"
    5:24: “$STAGE” in “platform_instance” is taken as it is written. Write “${STAGE}” to mean the variable.
    7:28: A “$” in “aws_secret_access_key” is taken as it is written. Write “${NAME}” to mean a variable.
    ");
    let unset = with_config(&["platform_instance: ${REGION}-$NOWHERE"]);
    assert_snapshot!(problems(&unset), @r"
    shop.yml:5:24: The environment variable “NOWHERE” is not set.
      hint: Set it, or give a default with “${NOWHERE:-default}”.
    ");
}

#[test]
fn a_secret_arrives_as_it_is_whatever_is_in_it() {
    let odd = "p$a\"s:s#{w}o${r}d'\r\n\t$HOME ";
    let environment = |name: &str| (name == "SECRET").then(|| odd.to_owned());
    for value in [
        "${SECRET}",
        "$SECRET",
        "'${SECRET:?must be set}'",
        "\"${SECRET}\"",
    ] {
        let key = format!("aws_secret_access_key: {value}");
        let text = with_config(&["aws_access_key_id: a", &key]);
        let recipe = Recipe::read(Path::new("shop.yml"), &text, &environment).unwrap();

        let AwsCredentials::Keys { secret, .. } = &settings(&recipe).identity else {
            panic!("the recipe names keys");
        };
        assert_eq!(secret.expose_secret(), odd, "{value}");
    }
}

#[test]
fn words_that_mean_something_in_yaml_are_names_in_a_pattern() {
    let recipe = with_config(&[
        "database_pattern: {allow: [no, on, yes, y, 2024, 1.10, 2024-01-01]}",
        "catalog_id: 012345678901",
        "platform_instance: 1e5",
    ]);
    let recipe = read(&recipe).unwrap();
    let settings = settings(&recipe);

    for name in ["no", "on", "yes", "y", "2024", "1.10", "2024-01-01"] {
        assert!(settings.databases.allows(name), "{name}");
    }
    assert!(!settings.databases.allows("shop"));
    assert_eq!(settings.catalog_id.as_deref(), Some("012345678901"));
    assert_eq!(settings.platform_instance.as_deref(), Some("1e5"));
    let nothing = with_config(&["database_pattern: {allow: [null]}"]);
    assert_snapshot!(problems(&nothing), @r"
    shop.yml:5:32: A pattern of “allow” is text, but here stands nothing.
      hint: Quote it to mean the word, or write “.*” to mean every name.
    ");
}

#[test]
fn what_is_there_for_its_anchors_may_stand_at_the_top() {
    let recipe = read(
        "
x-common: &aws
  aws_region: eu-central-1
  aws_access_key_id: a
  aws_secret_access_key: hunter2
defaults: &names {allow: [shop]}
source:
  type: glue
  config:
    <<: *aws
    database_pattern: *names
",
    )
    .unwrap();

    assert_eq!(settings(&recipe).region.as_deref(), Some("eu-central-1"));
    assert!(!settings(&recipe).databases.allows("other"));
    assert!(!recipe.masked_text.contains("hunter2"));
    assert_snapshot!(notices(&recipe), @r"
    2:1: “x-common” is read only where an alias names what is in it.
    6:1: “defaults” is read only where an alias names what is in it.
    ");
    let told = problems("schedul: &s {cron: '@daily'}\nsource: {type: glue}");
    assert_snapshot!(told, @r"
    shop.yml:1:1: There is no key “schedul” in this recipe.
      hint: Did you mean “schedule”?
    ");
}

#[test]
fn a_tag_of_another_tool_is_named_with_its_place() {
    let told = problems(
        "
source:
  type: glue
  config:
    aws_region: !Ref AWS::Region
    catalog_id: !reference [.defaults, account]
    aws_secret_access_key: !hunter2
",
    );

    assert_snapshot!(told, @r"
    shop.yml:5:17: “!Ref” is a tag of CloudFormation and means nothing in a recipe.
      hint: Write the value itself, or “${NAME}” for a variable that holds it.
    shop.yml:6:17: “!reference” is a tag of GitLab and means nothing in a recipe.
      hint: Write the value itself, or “${NAME}” for a variable that holds it.
    shop.yml:6:17: “catalog_id” is text, but here stands a list.
    shop.yml:7:28: A tag, which begins with “!”, means nothing in a recipe.
      hint: Leave it out, or quote a value that begins with “!”.
    ");
}

#[test]
fn a_schedule_can_be_switched_off_without_losing_it() {
    let text = "source:\n  type: glue\n  config: {}\nschedule:\n  cron: 0 6 * * *\n  enabled: ${ON:-false}\n";
    let read = |on: Option<&str>| {
        let environment = |name: &str| (name == "ON").then_some(on?.to_owned());
        Recipe::read(Path::new("r.yml"), text, &environment).unwrap()
    };

    let off = read(None);
    let on = read(Some("true"));

    assert!(off.schedule.is_none());
    assert_eq!(
        off.notices[0].text,
        "The schedule is switched off: it runs only when somebody starts it."
    );
    assert!(on.schedule.is_some() && on.notices.is_empty());
}

fn with_limits(limits: &str) -> String {
    format!("source: {{type: glue, config: {{limits: {{{limits}}}}}}}")
}

#[test]
fn limits_move_the_bounds_that_they_name() {
    let recipe = read(&with_limits("answer_size: 32 MiB, databases: 7")).unwrap();

    let limits = settings(&recipe).limits;
    assert_eq!(
        limits,
        Limits {
            answer_size: Size(32 << 20),
            databases: 7,
            ..Limits::default()
        }
    );
}

#[test]
fn a_limit_that_is_none_is_a_problem() {
    let told = problems(&with_limits(
        "table_size: 4, pages: 0, databases: many, table_colums: 5",
    ));

    assert_snapshot!(told, @r"
    shop.yml:1:52: “4” is not a size.
      hint: Write a whole number with B, KiB, MiB or GiB, such as “16 MiB”.
    shop.yml:1:62: “0” is not a whole number above 0.
      hint: Write it in digits, such as 10000.
    shop.yml:1:76: “many” is not a whole number above 0.
      hint: Write it in digits, such as 10000.
    shop.yml:1:82: There is no key “table_colums” in “limits”.
      hint: Did you mean “table_columns”?
    ");
}

#[test]
fn a_limit_in_another_place_is_told_where_it_belongs() {
    let told = problems("source: {type: glue, config: {table_columns: 5}}");

    assert_snapshot!(told, @r"
    shop.yml:1:31: There is no key “table_columns” in “source.config”.
      hint: It belongs into “limits”.
    ");
}
