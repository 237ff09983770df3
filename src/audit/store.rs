//! The queries on the change log as a whole.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use uuid::Uuid;

use super::{Error, Filter, Topic};
use crate::auth::Event;
use crate::db::entity::change;
use crate::db::{Page, PageRequest, changes};

/// A row of the log as it stands there.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) at: DateTime<Utc>,
    pub(super) actor: String,
    pub(super) actor_id: Option<Uuid>,
    pub(super) request: Option<String>,
    pub(super) run: Option<Uuid>,
    pub(super) kind: String,
    pub(super) subject: Uuid,
    pub(super) action: String,
    pub(super) details: String,
}

/// One page of the log, newest first.
pub(super) async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<Row>, Error> {
    let mut query = change::Entity::find().filter(matches(filter));
    if let Some(seq) = page.key::<i64>()? {
        query = query.filter(change::Column::Seq.lt(seq));
    }
    Ok(changes::list_newest(db, query, page).await?.map(read))
}

fn matches(filter: &Filter) -> Condition {
    let things = filter.things.as_ref();
    Condition::all()
        .add_option(filter.person.map(|id| change::Column::ActorId.eq(id.0)))
        .add_option(things.map(|ids| change::Column::SubjectId.is_in(ids.iter().copied())))
        .add_option(filter.topic.map(of_topic))
        .add_option(
            filter
                .action
                .as_ref()
                .map(|action| change::Column::Action.eq(action.as_str())),
        )
        .add_option(filter.from.map(|from| change::Column::At.gte(from)))
        .add_option(filter.until.map(|until| change::Column::At.lt(until)))
        // Raw, because the index of rows outside of runs is found only by its very words.
        .add_option(
            filter
                .outside_runs
                .then(|| Expr::cust("\"change\".\"run_id\" IS NULL")),
        )
}

fn of_topic(topic: Topic) -> Condition {
    let kinds = |kinds: &[&str]| change::Column::SubjectKind.is_in(kinds.iter().copied());
    let people = match topic {
        Topic::Catalog => return Condition::all().add(kinds(&["asset"])),
        Topic::SignIns => Condition::all()
            .add(kinds(&["account"]))
            .add(change::Column::Action.is_in(Event::SIGN_INS)),
        Topic::People => Condition::all()
            .add(kinds(&["account", "team"]))
            .add(change::Column::Action.is_not_in(Event::SIGN_INS)),
        Topic::Tokens => Condition::all().add(kinds(&["token"])),
        Topic::Restrictions => Condition::all().add(kinds(&["scope"])),
        Topic::Runs => Condition::all().add(kinds(&["run"])),
    };
    // Raw, because the index of rows that are not about assets is found only by its very words, not by a parameter.
    people.add(Expr::cust("\"change\".\"subject_kind\" <> 'asset'"))
}

fn read(row: change::Model) -> Row {
    Row {
        seq: row.seq,
        at: row.at,
        actor: row.actor,
        actor_id: row.actor_id,
        request: row.request_id,
        run: row.run_id,
        kind: row.subject_kind,
        subject: row.subject_id,
        action: row.action,
        details: row.details,
    }
}
