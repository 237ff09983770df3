//! The preview of a hit beside the results: what it is, whether to trust it, and its first columns.

use actix_web::web::{Data, Path};
use serde::Serialize;

use super::overview::Overview;
use super::parts::{Link, first_sentence, icon, kind_word, name};
use crate::auth::Actor;
use crate::catalog::{self, Asset, AssetId};
use crate::db::Db;
use crate::web::failure::Failure;
use crate::web::text::{Moment, Shortened, count, number};
use crate::web::view::{Page, View};

/// So many columns are shown.
const COLUMNS: usize = 14;

/// A type longer than this is cut; the table's page has the whole.
const LONGEST_TYPE: usize = 40;

/// `GET /assets/{id}/preview`: the preview alone.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    id: Path<AssetId>,
) -> Result<Page<Preview>, Failure> {
    let asset = catalog::find_asset(&db, actor.visibility(), *id).await?;
    let said = Overview::read(&db, &asset, &actor).await?;
    Ok(Page(Preview::new(&asset, said)))
}

/// What `templates/assets/preview.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct Preview {
    icon: &'static str,
    kind: &'static str,
    name: Link,
    place: Shortened,
    gone: Option<Moment>,
    said: Overview,
    rows: Option<String>,
    defined: Option<Moment>,
    columns: Vec<Line>,
    /// What of the columns is not shown.
    more: Option<String>,
}

/// One column.
#[derive(Debug, Serialize)]
struct Line {
    name: Shortened,
    data_type: Shortened,
    text: Shortened,
}

impl View for Preview {
    const TEMPLATE: &'static str = "assets/preview";
}

impl Preview {
    fn new(asset: &Asset, said: Overview) -> Self {
        let columns = || {
            asset
                .source
                .columns
                .iter()
                .filter(|column| !column.bookkeeping)
        };
        let left = columns().count().saturating_sub(COLUMNS);
        let outer = asset.address.path.split_last();
        let outer = outer.map_or(&[][..], |(_, outer)| outer);
        Self {
            icon: icon(asset.kind),
            kind: kind_word(asset.kind),
            name: Link::to_asset(asset),
            place: name(&outer.join(" › ")),
            gone: asset.gone_at.map(Moment::of),
            said,
            rows: asset.facts.rows.map(number),
            defined: asset.facts.updated_at.map(Moment::of),
            columns: columns()
                .take(COLUMNS)
                .map(|column| {
                    let note = asset.human.column_description(&column.path);
                    let text = note.or(column.comment.as_deref());
                    Line {
                        name: name(&column.name),
                        data_type: Shortened::to(LONGEST_TYPE, &column.data_type),
                        text: first_sentence(text.unwrap_or_default()),
                    }
                })
                .collect(),
            more: (left > 0).then(|| count(left as u64, "more column", "more columns")),
        }
    }
}
