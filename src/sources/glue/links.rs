//! Addresses of pages in the AWS console.

use std::fmt::Write as _;

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
                console.account
            ),
        ),
        console.link(
            "Query in Athena",
            "athena",
            &format!("/query-editor?catalog=AwsDataCatalog&database={database}&table={table}"),
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
        console.account
    );
    vec![console.link("AWS Glue", "glue", &page)]
}

/// The console of one region.
struct Console<'a> {
    region: &'a str,
    account: String,
    domain: &'static str,
}

impl<'a> Console<'a> {
    fn of(scope: &'a Scope) -> Option<Self> {
        let region = scope.region.as_str();
        let domain = if region.starts_with("cn-") {
            "console.amazonaws.cn"
        } else if region.starts_with("us-gov-") {
            "console.amazonaws-us-gov.com"
        } else {
            "console.aws.amazon.com"
        };
        Some(Self {
            region,
            account: encoded(scope.account.as_deref()?),
            domain,
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
