//! Addresses of pages in the AWS console.

use std::fmt::Write as _;

use super::arn::{CatalogId, Partition};
use super::translate::Scope;
use crate::catalog::OutwardLink;

/// The table's page in Glue, and its database opened in Athena's query editor.
pub(super) fn of_table(scope: &Scope, table: &str) -> Vec<OutwardLink> {
    let Some(console) = Console::of(scope) else {
        return Vec::new();
    };
    let (table, database) = (encoded(table), encoded(scope.database()));
    vec![
        console.link(
            "AWS Glue",
            "glue",
            &format!(
                "/v2/data-catalog/tables/view/{table}?database={database}&catalogId={}",
                console.catalog_id
            ),
        ),
        console.link(
            "Query in Athena",
            "athena",
            &format!(
                "/query-editor?catalog={}&database={database}&table={table}",
                console.catalog
            ),
        ),
    ]
}

/// The database's page in Glue.
pub(super) fn of_database(scope: &Scope) -> Vec<OutwardLink> {
    let Some(console) = Console::of(scope) else {
        return Vec::new();
    };
    let database = encoded(scope.database());
    let page = format!(
        "/v2/data-catalog/databases/view/{database}?catalogId={}",
        console.catalog_id
    );
    vec![console.link("AWS Glue", "glue", &page)]
}

/// What Athena calls the catalog of an account.
const ACCOUNTS_OWN: &str = "AwsDataCatalog";

/// The console of one region, and the catalog that it shows.
struct Console<'a> {
    region: &'a str,
    domain: &'static str,
    catalog_id: String,
    /// As Athena calls it.
    catalog: String,
}

impl<'a> Console<'a> {
    fn of(scope: &'a Scope) -> Option<Self> {
        let catalog_id = scope.account.as_deref()?;
        let nested = CatalogId::of(catalog_id).nested;
        Some(Self {
            region: &scope.region,
            domain: Partition::of(&scope.region).console?,
            catalog_id: encoded(catalog_id),
            catalog: encoded(nested.unwrap_or(ACCOUNTS_OWN)),
        })
    }

    fn link(&self, label: &str, service: &str, page: &str) -> OutwardLink {
        let region = encoded(self.region);
        OutwardLink {
            label: label.to_owned(),
            url: format!(
                "https://{region}.{}/{service}/home?region={region}#{page}",
                self.domain
            ),
        }
    }
}

/// Percent-encodes everything that could mean something in an address.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string succeeds");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Address;

    fn links(region: &str, catalog_id: &str, names: [&str; 2]) -> Vec<String> {
        let [database, table] = names;
        let scope = Scope {
            address: Address {
                platform: "glue".to_owned(),
                instance: String::new(),
                path: vec![database.to_owned()],
            },
            account: Some(catalog_id.to_owned()),
            region: region.to_owned(),
            owners: true,
        };
        let links = of_database(&scope)
            .into_iter()
            .chain(of_table(&scope, table));
        links.map(|link| link.url).collect()
    }

    #[test]
    fn links_lead_into_the_console_of_the_partition() {
        for (region, domain) in [
            ("eu-central-1", "console.aws.amazon.com"),
            ("us-gov-west-1", "console.amazonaws-us-gov.com"),
            ("cn-north-1", "console.amazonaws.cn"),
        ] {
            let begins = format!("https://{region}.{domain}/");
            let links = links(region, "111122223333", ["shop", "orders"]);
            assert!(
                links.iter().all(|link| link.starts_with(&begins)),
                "{links:?}"
            );
        }
        assert!(links("us-iso-east-1", "111122223333", ["shop", "orders"]).is_empty());
    }

    #[test]
    fn links_name_a_nested_catalog_and_survive_every_name() {
        let links = links(
            "eu-central-1",
            "111122223333:s3tablescatalog/metrics",
            ["da/ily", "a \"b\".c%&#é"],
        );

        let host = "https://eu-central-1.console.aws.amazon.com";
        let nested = "catalogId=111122223333%3As3tablescatalog%2Fmetrics";
        let table = "a%20%22b%22.c%25%26%23%C3%A9";
        assert_eq!(
            links,
            [
                format!(
                    "{host}/glue/home?region=eu-central-1#/v2/data-catalog/databases/view/da%2Fily?{nested}"
                ),
                format!(
                    "{host}/glue/home?region=eu-central-1#/v2/data-catalog/tables/view/{table}?database=da%2Fily&{nested}"
                ),
                format!(
                    "{host}/athena/home?region=eu-central-1#/query-editor?catalog=s3tablescatalog%2Fmetrics&database=da%2Fily&table={table}"
                ),
            ]
        );
    }
}
