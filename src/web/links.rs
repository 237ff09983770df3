//! Every address of the site, built in one place, so that no name can break out of its part of it.

use std::fmt::Write as _;

use uuid::Uuid;

use crate::auth::{AccountId, TeamId};
use crate::catalog::AssetId;
use crate::catalog::human::AspectKind;

/// Writes a name so that it can stand between two slashes, or in a query, whatever is in it.
pub(crate) fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    encoded
}

/// Adds parameters to an address; those with an empty text are left out.
pub(crate) fn with_query<'a>(
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut address = path.to_owned();
    let mut sign = '?';
    for (name, text) in parameters {
        if !text.is_empty() {
            address.push(sign);
            sign = '&';
            address.push_str(&encode(name));
            address.push('=');
            address.push_str(&encode(text));
        }
    }
    address
}

pub(crate) fn home() -> String {
    "/".to_owned()
}

/// Where people sign in, to go on to `next` on this site; empty for the start.
pub(crate) fn sign_in(next: &str) -> String {
    let next = if next == "/" { "" } else { next };
    with_query("/sign-in", [("next", next)])
}

/// Where people go on to the OpenID Connect provider.
pub(crate) fn sign_in_at_provider(next: &str) -> String {
    let next = if next == "/" { "" } else { next };
    with_query("/sign-in/oidc", [("next", next)])
}

pub(crate) fn profile() -> String {
    "/profile".to_owned()
}

pub(crate) fn sign_out() -> String {
    "/sign-out".to_owned()
}

/// Where the first admin of an empty catalog is made, with the code that lets do so.
pub(crate) fn set_up(code: &str) -> String {
    with_query("/set-up", [("code", code)])
}

/// Where somebody chooses a password, with the code that lets them do so.
pub(crate) fn choose_password(code: &str) -> String {
    with_query("/choose-password", [("code", code)])
}

/// The search page with these parameters, such as `q`, `kind`, `platform`, `database`, `gone`, `offset`.
pub(crate) fn search<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    with_query("/search", parameters)
}

/// Where a search box asks for suggestions.
pub(crate) fn suggest() -> String {
    "/search/suggest".to_owned()
}

pub(crate) fn browse() -> String {
    "/browse".to_owned()
}

pub(crate) fn instance(platform: &str, instance: &str) -> String {
    format!("/browse/{}/{}", encode(platform), encode(instance))
}

/// Who sees a source.
pub(crate) fn instance_restriction(platform: &str, of: &str) -> String {
    format!("{}/restriction", instance(platform, of))
}

/// Every restricted source and database.
pub(crate) fn restricted() -> String {
    "/restricted".to_owned()
}

pub(crate) fn asset(id: AssetId) -> String {
    format!("/assets/{id}")
}

/// Who sees a database.
pub(crate) fn asset_restriction(id: AssetId) -> String {
    format!("/assets/{id}/restriction")
}

/// More lines of an asset's history, as a part of a page.
pub(crate) fn asset_history(id: AssetId) -> String {
    format!("/assets/{id}/history")
}

/// One change of an asset, by its number among them.
pub(crate) fn asset_change(id: AssetId, number: u64) -> String {
    format!("{}/{number}", asset_history(id))
}

/// More columns of an asset, as a part of a page.
pub(crate) fn asset_columns(id: AssetId) -> String {
    format!("/assets/{id}/columns")
}

/// One column of an asset.
pub(crate) fn column(id: AssetId, column: &str) -> String {
    format!("{}/{}", asset_columns(id), encode(column))
}

/// The form for one aspect of what people say of an asset.
pub(crate) fn edit(id: AssetId, aspect: AspectKind) -> String {
    format!("/assets/{id}/edit/{}", aspect.as_str())
}

/// The form for what people say of a column.
pub(crate) fn edit_column(id: AssetId, column: &str) -> String {
    format!("/assets/{id}/columns/{}/edit", encode(column))
}

/// Where words about a column that was renamed are sent to its new name.
pub(crate) fn move_note(id: AssetId, column: &str) -> String {
    format!("/assets/{id}/columns/{}/move", encode(column))
}

/// Where Markdown is rendered.
pub(crate) fn preview() -> String {
    "/preview".to_owned()
}

/// What is tagged like this.
pub(crate) fn tagged(tag: &str) -> String {
    search([("q", format!("tag:\"{}\"", tag.replace('"', " ")).as_str())])
}

pub(crate) fn ingestion() -> String {
    "/ingestion".to_owned()
}

pub(crate) fn recipe(name: &str) -> String {
    format!("/ingestion/recipes/{}", encode(name))
}

/// Where the button “Run now” is sent.
pub(crate) fn recipe_runs(name: &str) -> String {
    format!("/ingestion/recipes/{}/runs", encode(name))
}

pub(crate) fn runs() -> String {
    "/ingestion/runs".to_owned()
}

pub(crate) fn run(id: Uuid) -> String {
    format!("/ingestion/runs/{id}")
}

/// Where a program asks how a run stands.
pub(crate) fn api_run(id: Uuid) -> String {
    format!("/api/v1/runs/{id}")
}

/// A list that belongs to a run: `findings` or `databases`.
pub(crate) fn api_part_of_run(id: Uuid, part: &str) -> String {
    format!("/api/v1/runs/{id}/{part}")
}

pub(crate) fn audit() -> String {
    "/audit".to_owned()
}

/// What directories said of people, and what they would mean here.
pub(crate) fn sign_in_check() -> String {
    "/sign-in-check".to_owned()
}

/// The audit trail as a file: `csv` or `jsonl`.
pub(crate) fn audit_export(ending: &str) -> String {
    format!("/audit/export.{ending}")
}

/// Something to do on one's own account, such as `password`.
pub(crate) fn profile_part(part: &str) -> String {
    format!("/profile/{part}")
}

pub(crate) fn people() -> String {
    "/people".to_owned()
}

pub(crate) fn person(id: AccountId) -> String {
    format!("/people/{id}")
}

/// Something to do to somebody's account, such as `lock`.
pub(crate) fn person_part(id: AccountId, part: &str) -> String {
    format!("/people/{id}/{part}")
}

pub(crate) fn teams() -> String {
    "/teams".to_owned()
}

pub(crate) fn team(id: TeamId) -> String {
    format!("/teams/{id}")
}

/// Something to do to a team, such as `members`.
pub(crate) fn team_part(id: TeamId, part: &str) -> String {
    format!("/teams/{id}/{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment_whatever_is_in_it() {
        assert_eq!(
            instance("glue", "123456789012/us-east-1"),
            "/browse/glue/123456789012%2Fus-east-1"
        );
        assert_eq!(
            recipe("a b?c#d%\"<é"),
            "/ingestion/recipes/a%20b%3Fc%23d%25%22%3C%C3%A9"
        );
    }

    #[test]
    fn empty_parameters_are_left_out() {
        assert_eq!(
            search([("q", "a&b=c"), ("kind", ""), ("database", "x y")]),
            "/search?q=a%26b%3Dc&database=x%20y"
        );
        assert_eq!(search([("q", "")]), "/search");
    }
}
