//! Every address of the site, built in one place, so that no name can break out of its part of it, and every address has
//! the path before it under which people reach the catalog.
//!
//! That path goes along with each request. Outside of one, addresses begin at the root of the site, and
//! `PublicUrl::page` puts the rest before them.

use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;

use actix_web::http::Uri;
use serde::Serialize;

use uuid::Uuid;

use crate::auth::{AccountId, TeamId};
use crate::catalog::AssetId;

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

tokio::task_local! {
    /// Such as `/catalog`; empty where the catalog has a host of its own.
    static PREFIX: Arc<str>;
}

/// Does something for people who reach the site below this path.
pub(super) async fn below<F: Future>(prefix: Arc<str>, work: F) -> F::Output {
    PREFIX.scope(prefix, work).await
}

/// Lets work that is done on another thread write the same addresses.
pub(super) fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let prefix = prefix();
    move || PREFIX.sync_scope(prefix, work)
}

fn prefix() -> Arc<str> {
    PREFIX.try_with(Arc::clone).unwrap_or_default()
}

/// An address of this site by its path there.
fn at(path: impl AsRef<str>) -> String {
    format!("{}{}", prefix(), path.as_ref())
}

/// What stands behind the prefix of an address, if it has it.
fn behind<'a>(prefix: &str, address: &'a str) -> Option<&'a str> {
    let rest = address.strip_prefix(prefix)?;
    (rest.is_empty() || rest.starts_with(['/', '?', '#'])).then_some(rest)
}

/// The path of an address within the site, whether it has the prefix or not.
pub(super) fn within_site(address: &str) -> &str {
    match behind(&prefix(), address) {
        Some("") => "/",
        Some(rest) => rest,
        None => address,
    }
}

/// An address of this site that somebody wrote, with the prefix or without.
pub(super) fn of_site(address: &str) -> String {
    match behind(&prefix(), address) {
        Some(_) => address.to_owned(),
        None => at(address),
    }
}

/// The address that was asked for, as people see it.
pub(super) fn here(uri: &Uri) -> String {
    at(uri.path_and_query().map_or("/", |path| path.as_str()))
}

/// Where cookies are sent.
pub(super) fn cookie_path() -> String {
    match &*prefix() {
        "" => "/".to_owned(),
        prefix => prefix.to_owned(),
    }
}

/// Addresses that templates name; those of things come with the views.
#[derive(Debug, Serialize)]
pub(super) struct Places {
    home: String,
    search: String,
    suggest: String,
    palette: String,
    browse: String,
    changes: String,
    ingestion: String,
    runs: String,
    pick_people: String,
    pick_teams: String,
    people: String,
    teams: String,
    sign_in_check: String,
    profile_name: String,
    profile_password: String,
    profile_link: String,
    end_sessions: String,
    sign_in: String,
    demo_sign_in: String,
    set_up: String,
    choose_password: String,
    api_description: String,
}

impl Places {
    pub(super) fn all() -> Self {
        Self {
            home: home(),
            search: search([]),
            suggest: suggest(),
            palette: palette(),
            browse: browse(),
            changes: changes([]),
            ingestion: ingestion(),
            runs: runs(),
            pick_people: with_query(&pick("owners"), [("only", "people")]),
            pick_teams: with_query(&pick("owners"), [("only", "teams")]),
            people: people(),
            teams: teams(),
            sign_in_check: sign_in_check(),
            profile_name: profile_part("name"),
            profile_password: profile_part("password"),
            profile_link: profile_part("link"),
            end_sessions: profile_part("sessions/end"),
            sign_in: sign_in(""),
            demo_sign_in: at("/sign-in/demo"),
            set_up: set_up(""),
            choose_password: choose_password(""),
            api_description: at("/api/openapi.json"),
        }
    }
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

/// Adds one more parameter to an address that may have some.
pub(crate) fn with_more(address: &str, (name, text): (&str, &str)) -> String {
    let sign = if address.contains('?') { '&' } else { '?' };
    format!("{address}{sign}{}={}", encode(name), encode(text))
}

pub(crate) fn home() -> String {
    at("/")
}

/// Where people sign in, to go on to `next` on this site; empty for the start.
pub(crate) fn sign_in(next: &str) -> String {
    let next = if next == home() { "" } else { next };
    with_query(&at("/sign-in"), [("next", next)])
}

/// Where people go on to the OpenID Connect provider.
pub(crate) fn sign_in_at_provider(next: &str) -> String {
    let next = if next == home() { "" } else { next };
    with_query(&at("/sign-in/oidc"), [("next", next)])
}

pub(crate) fn profile() -> String {
    at("/profile")
}

pub(crate) fn sign_out() -> String {
    at("/sign-out")
}

/// Where the first admin of an empty catalog is made, with the code that lets do so.
pub(crate) fn set_up(code: &str) -> String {
    with_query(&at("/set-up"), [("code", code)])
}

/// Where somebody chooses a password, with the code that lets them do so.
pub(crate) fn choose_password(code: &str) -> String {
    with_query(&at("/choose-password"), [("code", code)])
}

/// The search page with these parameters, such as `q`, `kind`, `platform`, `database`, `gone`, `offset`.
pub(crate) fn search<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    with_query(&at("/search"), parameters)
}

/// Where a search box asks for suggestions.
pub(crate) fn suggest() -> String {
    at("/search/suggest")
}

/// Where the palette asks for pages, actions and assets.
pub(crate) fn palette() -> String {
    at("/palette")
}

pub(crate) fn browse() -> String {
    at("/browse")
}

pub(crate) fn instance(platform: &str, instance: &str) -> String {
    at(format!("/browse/{}/{}", encode(platform), encode(instance)))
}

/// Who sees a source.
pub(crate) fn instance_restriction(platform: &str, of: &str) -> String {
    format!("{}/restriction", instance(platform, of))
}

/// Every restricted source and database.
pub(crate) fn restricted() -> String {
    at("/restricted")
}

pub(crate) fn asset(id: AssetId) -> String {
    at(format!("/assets/{id}"))
}

/// The asset whose page, or a page below it, has this address.
pub(crate) fn asset_at(address: &str) -> Option<AssetId> {
    let behind = within_site(address).strip_prefix("/assets/")?;
    let id = behind.split(['/', '?', '#']).next()?;
    Uuid::parse_str(id).ok().map(AssetId)
}

/// The most important of an asset, as a part of a page.
pub(crate) fn asset_preview(id: AssetId) -> String {
    at(format!("/assets/{id}/preview"))
}

/// What the row that [`row_of_column`] leads to is called on its page.
pub(crate) const ROW: &str = "wanted";

/// The page of an asset with one of its columns shown and highlighted.
pub(crate) fn row_of_column(id: AssetId, column: &str) -> String {
    format!("{}#{ROW}", with_query(&asset(id), [("at", column)]))
}

/// What the last run could not read of an asset.
pub(crate) fn problems(id: AssetId) -> String {
    at(format!("/assets/{id}#problems"))
}

/// Who sees a database.
pub(crate) fn asset_restriction(id: AssetId) -> String {
    at(format!("/assets/{id}/restriction"))
}

/// More lines of an asset's history, as a part of a page.
pub(crate) fn asset_history(id: AssetId) -> String {
    at(format!("/assets/{id}/history"))
}

/// One change of an asset, by its number among them.
pub(crate) fn asset_change(id: AssetId, number: u64) -> String {
    format!("{}/{number}", asset_history(id))
}

/// Where an edit, or what was before it, is saved again.
pub(crate) fn restore(id: AssetId, number: u64) -> String {
    format!("{}/restore", asset_change(id, number))
}

/// More columns of an asset, as a part of a page.
pub(crate) fn asset_columns(id: AssetId) -> String {
    at(format!("/assets/{id}/columns"))
}

/// One column of an asset.
pub(crate) fn column(id: AssetId, column: &str) -> String {
    format!("{}/{}", asset_columns(id), encode(column))
}

/// The form for one aspect of what people say of an asset.
pub(crate) fn edit(id: AssetId, aspect: &str) -> String {
    at(format!("/assets/{id}/edit/{aspect}"))
}

/// The form for what people say of a column.
pub(crate) fn edit_column(id: AssetId, column: &str) -> String {
    at(format!("/assets/{id}/columns/{}/edit", encode(column)))
}

/// Where the last save of an aspect is taken back.
pub(crate) fn undo(id: AssetId, aspect: &str) -> String {
    format!("{}/undo", edit(id, aspect))
}

/// Where the last save of what people say of a column is taken back.
pub(crate) fn undo_column(id: AssetId, column: &str) -> String {
    format!("{}/undo", edit_column(id, column))
}

/// What waits for a description.
pub(crate) fn requests() -> String {
    at("/requests")
}

/// Where people tell that they found nothing, and those words are listed.
pub(crate) fn missed_searches() -> String {
    at("/requests/searches")
}

/// Where that is dismissed.
pub(crate) fn dismiss_missed() -> String {
    at("/requests/searches/dismiss")
}

/// Where a description of an asset is asked for.
pub(crate) fn asset_requests(id: AssetId) -> String {
    at(format!("/assets/{id}/requests"))
}

/// Where the requests for a description are closed without one.
pub(crate) fn dismiss_requests(id: AssetId) -> String {
    format!("{}/dismiss", asset_requests(id))
}

/// Where a picker asks for suggestions: of `assets`, `owners`, `tags`, `databases` or `scopes`.
pub(crate) fn pick(what: &str) -> String {
    at(format!("/pick/{what}"))
}

/// Where words about a column that was renamed are sent to its new name.
pub(crate) fn move_note(id: AssetId, column: &str) -> String {
    at(format!("/assets/{id}/columns/{}/move", encode(column)))
}

/// Where Markdown is rendered.
pub(crate) fn preview() -> String {
    at("/preview")
}

/// What is tagged like this.
pub(crate) fn tagged(tag: &str) -> String {
    search([("q", format!("tag:\"{}\"", tag.replace('"', " ")).as_str())])
}

/// What somebody owns, by the name that pages show.
pub(crate) fn owned_by(name: &str) -> String {
    search([(
        "q",
        format!("owner:\"{}\"", name.replace('"', " ")).as_str(),
    )])
}

/// The page Changes with these parameters, such as `kind`, `database`, `days`, `after`.
pub(crate) fn changes<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    with_query(&at("/changes"), parameters)
}

/// The same as an Atom feed.
pub(crate) fn changes_feed<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    with_query(&at("/changes.atom"), parameters)
}

/// What one run or one day changed, in one database or all, of one kind or all.
pub(crate) fn batch(id: Uuid, database: &str, kind: &str) -> String {
    with_query(
        &at(format!("/changes/{id}")),
        [("database", database), ("kind", kind)],
    )
}

pub(crate) fn ingestion() -> String {
    at("/ingestion")
}

pub(crate) fn recipe(name: &str) -> String {
    at(format!("/ingestion/recipes/{}", encode(name)))
}

/// Where the button “Run now” is sent.
pub(crate) fn recipe_runs(name: &str) -> String {
    at(format!("/ingestion/recipes/{}/runs", encode(name)))
}

pub(crate) fn runs() -> String {
    at("/ingestion/runs")
}

pub(crate) fn run(id: Uuid) -> String {
    at(format!("/ingestion/runs/{id}"))
}

/// Where a program searches.
pub(crate) fn api_search() -> String {
    at("/api/v1/search")
}

/// Where a program lists the runs of a recipe.
pub(crate) fn api_runs(recipe: &str) -> String {
    with_query(&at("/api/v1/runs"), [("recipe", recipe)])
}

/// What the addresses of programs begin with.
pub(super) fn api() -> String {
    cookie_path()
}

/// What the address of each file of a version begins with.
pub(super) fn files(version: &str) -> String {
    at(format!("/static/{version}"))
}

/// Where the OpenID Connect provider sends people back to.
pub(crate) fn sign_in_callback() -> String {
    at("/sign-in/oidc/callback")
}

/// Where a program asks how a run stands.
pub(crate) fn api_run(id: Uuid) -> String {
    at(format!("/api/v1/runs/{id}"))
}

/// A list that belongs to a run: `findings` or `databases`.
pub(crate) fn api_part_of_run(id: Uuid, part: &str) -> String {
    at(format!("/api/v1/runs/{id}/{part}"))
}

pub(crate) fn audit() -> String {
    at("/audit")
}

/// What directories said of people, and what they would mean here.
pub(crate) fn sign_in_check() -> String {
    at("/sign-in-check")
}

/// The audit trail as a file: `csv` or `jsonl`.
pub(crate) fn audit_export(ending: &str) -> String {
    at(format!("/audit/export.{ending}"))
}

/// Something to do on one's own account, such as `password`.
pub(crate) fn profile_part(part: &str) -> String {
    at(format!("/profile/{part}"))
}

pub(crate) fn people() -> String {
    at("/people")
}

pub(crate) fn person(id: AccountId) -> String {
    at(format!("/people/{id}"))
}

/// Something to do to somebody's account, such as `lock`.
pub(crate) fn person_part(id: AccountId, part: &str) -> String {
    at(format!("/people/{id}/{part}"))
}

pub(crate) fn teams() -> String {
    at("/teams")
}

pub(crate) fn team(id: TeamId) -> String {
    at(format!("/teams/{id}"))
}

/// Something to do to a team, such as `members`.
pub(crate) fn team_part(id: TeamId, part: &str) -> String {
    at(format!("/teams/{id}/{part}"))
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
