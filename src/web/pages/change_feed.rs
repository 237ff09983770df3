//! The changes of the catalog as an Atom feed: one entry for what one run, or people in one day, changed in a database.

use std::fmt::Write as _;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};

use super::change_groups::{in_words, told_of_itself};
use crate::auth::Actor;
use crate::catalog::groups::{self, ChangeGroup};
use crate::catalog::unseen::legible_text;
use crate::catalog::{self, AssetId, ChangeKind};
use crate::db::Db;
use crate::web::change_filter;
use crate::web::client::whole_address;
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;

/// So many entries are in the feed.
const ENTRIES: usize = 50;

/// `GET /changes.atom`: the newest changes, for feed readers.
pub(crate) async fn show(
    request: HttpRequest,
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<HttpResponse, Failure> {
    let filter = change_filter::read(&db, &actor, &parameters).await?;
    let page = parameters.page(ENTRIES)?;
    let found = groups::list(&db, actor.visibility(), &filter, &page).await?;
    let ids: Vec<AssetId> = found.items.iter().map(|group| group.database).collect();
    let named = catalog::find_addresses(&db, &ids).await?;
    let kind = filter.kind.map_or("", ChangeKind::as_str);
    let database = filter
        .database
        .map_or_else(String::new, |id| id.to_string());
    let parts = [("kind", kind), ("database", database.as_str())];
    let here = whole_address(&request, &links::changes_feed(parts));
    let page = whole_address(&request, &links::changes(parts));
    let newest = found.items.iter().map(|group| group.last_at).max();
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>{here}</id>\n<title>Changes in the data catalog</title>\n<updated>{updated}</updated>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{here}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{page}\"/>\n\
         <author><name>Gazetteer</name></author>\n",
        here = escaped(&here),
        page = escaped(&page),
        updated = time(newest.unwrap_or(DateTime::UNIX_EPOCH)),
    );
    for group in &found.items {
        let name = named.get(&group.database);
        let name = name.map_or("a database", |(_, address)| address.name());
        let address = links::batch(group.batch.id(), &group.database.to_string(), kind);
        feed.push_str(&entry(group, name, &whole_address(&request, &address)));
    }
    feed.push_str("</feed>\n");
    Ok(HttpResponse::Ok()
        .content_type("application/atom+xml; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .body(feed))
}

fn entry(group: &ChangeGroup, name: &str, address: &str) -> String {
    let itself = group.itself.map(told_of_itself).map(str::to_owned);
    let kinds = ChangeKind::ALL.into_iter();
    let there = kinds.filter(|kind| group.counts.of(*kind) > 0);
    let words: Vec<String> = there.map(|kind| in_words(&group.counts, kind)).collect();
    let words = Some(words.join(", ")).filter(|words| !words.is_empty());
    let told: Vec<String> = itself.into_iter().chain(words).collect();
    let told = escaped(&told.join(" "));
    let mut entry = String::new();
    write!(
        entry,
        "<entry>\n<id>{address}</id>\n<title>{name}: {told}</title>\n<published>{published}</published>\n\
         <updated>{updated}</updated>\n<link rel=\"alternate\" type=\"text/html\" href=\"{address}\"/>\n\
         <summary>{told}</summary>\n</entry>\n",
        address = escaped(address),
        name = escaped(name),
        published = time(group.first_at),
        updated = time(group.last_at),
    )
    .expect("writing to a string cannot fail");
    entry
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A text as XML may hold it: signs that it must not hold are named.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in legible_text(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
