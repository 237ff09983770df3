//! Where a catalog of Glue is: its account, the catalogs that it is nested in, and the partition of AWS around it.
//!
//! A bucket of S3 Tables is a catalog inside the account's own: `111122223333:s3tablescatalog/metrics`. Deliberately
//! absent: asking AWS whether any of it exists.

/// The id of a catalog, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CatalogId<'a> {
    pub(super) account: Option<&'a str>,
    /// The catalogs inside the account's own, outermost first and separated by slashes, as queries name them.
    pub(super) nested: Option<&'a str>,
}

/// A part of AWS with accounts, names and a console of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) name: &'static str,
    /// The domain of its console, where that is known.
    pub(super) console: Option<&'static str>,
}

/// Partitions by how the names of their regions begin; everything else is in the first.
const PARTITIONS: [(&str, Partition); 8] = [
    ("", partition("aws", Some("console.aws.amazon.com"))),
    ("cn-", partition("aws-cn", Some("console.amazonaws.cn"))),
    (
        "us-gov-",
        partition("aws-us-gov", Some("console.amazonaws-us-gov.com")),
    ),
    (
        "eusc-",
        partition("aws-eusc", Some("console.amazonaws-eusc.eu")),
    ),
    ("us-iso-", partition("aws-iso", None)),
    ("us-isob-", partition("aws-iso-b", None)),
    ("eu-isoe-", partition("aws-iso-e", None)),
    ("us-isof-", partition("aws-iso-f", None)),
];

const fn partition(name: &'static str, console: Option<&'static str>) -> Partition {
    Partition { name, console }
}

impl<'a> CatalogId<'a> {
    pub(super) fn of(id: &'a str) -> Self {
        let (account, nested) = match id.split_once(':') {
            Some((account, nested)) => (account, nested),
            None if id.bytes().all(|byte| byte.is_ascii_digit()) => (id, ""),
            None => ("", id),
        };
        let given = |part: &'a str| (!part.is_empty()).then_some(part);
        Self {
            account: given(account),
            nested: given(nested),
        }
    }
}

impl Partition {
    pub(super) fn of(region: &str) -> Self {
        let [(_, main), others @ ..] = PARTITIONS;
        let found = others.iter().find(|(prefix, _)| region.starts_with(prefix));
        found.map_or(main, |(_, partition)| *partition)
    }
}

/// The name of a resource of Glue as policies write it; without a catalog's id any account is meant.
///
/// `resource` is its kind and, after a slash, its path within the catalog.
pub(super) fn of(region: &str, catalog_id: Option<&str>, resource: &str) -> String {
    let partition = Partition::of(region).name;
    let catalog = catalog_id.map(CatalogId::of);
    let account = catalog.and_then(|catalog| catalog.account).unwrap_or("*");
    let (kind, path) = resource.split_once('/').unwrap_or((resource, ""));
    let nested = catalog
        .and_then(|catalog| catalog.nested)
        .unwrap_or_default();
    let mut arn = format!("arn:{partition}:glue:{region}:{account}:{kind}");
    for part in [nested, path].into_iter().filter(|part| !part.is_empty()) {
        arn.push('/');
        arn.push_str(&as_written(part));
    }
    arn
}

/// Marks what policies would read as a wildcard or a variable.
fn as_written(path: &str) -> String {
    let mut marked = String::with_capacity(path.len());
    for letter in path.chars() {
        match letter {
            '*' | '?' | '$' => marked.extend(["${", letter.encode_utf8(&mut [0; 4]), "}"]),
            _ => marked.push(letter),
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_partition_account_nested_catalog_and_path() {
        let nested = Some("111122223333:s3tablescatalog/metrics");
        for (region, catalog_id, resource, expected) in [
            (
                "eu-central-1",
                None,
                "catalog",
                "arn:aws:glue:eu-central-1:*:catalog",
            ),
            (
                "eu-central-1",
                Some("111122223333"),
                "database/shop",
                "arn:aws:glue:eu-central-1:111122223333:database/shop",
            ),
            (
                "eu-central-1",
                nested,
                "catalog",
                "arn:aws:glue:eu-central-1:111122223333:catalog/s3tablescatalog/metrics",
            ),
            (
                "eu-central-1",
                nested,
                "database/daily",
                "arn:aws:glue:eu-central-1:111122223333:database/s3tablescatalog/metrics/daily",
            ),
            (
                "us-gov-west-1",
                nested,
                "table/daily/readings",
                "arn:aws-us-gov:glue:us-gov-west-1:111122223333:table/s3tablescatalog/metrics/daily/readings",
            ),
            (
                "cn-north-1",
                Some("s3tablescatalog/m"),
                "database/d",
                "arn:aws-cn:glue:cn-north-1:*:database/s3tablescatalog/m/d",
            ),
            (
                "us-iso-east-1",
                Some("1"),
                "database/d",
                "arn:aws-iso:glue:us-iso-east-1:1:database/d",
            ),
            (
                "us-isob-east-1",
                Some("1"),
                "database/d",
                "arn:aws-iso-b:glue:us-isob-east-1:1:database/d",
            ),
            (
                "us-east-1",
                Some("1"),
                "table/a b/c*?$\"",
                "arn:aws:glue:us-east-1:1:table/a b/c${*}${?}${$}\"",
            ),
        ] {
            assert_eq!(of(region, catalog_id, resource), expected);
        }
    }
}
