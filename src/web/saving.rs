//! Saving what people write, for the pages and for the API alike.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use chrono::Utc;
use tokio::sync::Notify;

use crate::auth::Actor;
use crate::catalog::human::{self, AssetAspect, ColumnDescription};
use crate::catalog::{self, AssetId};
use crate::db::Db;
use crate::error::chain;
use crate::revisions::{Draft, EditError, Revision};
use crate::search::{Index, follow};
use crate::web::view::is_in_place;

/// Who sends a request, and the catalog that they write into.
pub(crate) struct Editor {
    pub(crate) db: Data<Db>,
    pub(crate) actor: Actor,
    /// Whether a script puts the answer into the page that is open.
    pub(crate) in_place: bool,
    index: Data<Index>,
    written: Data<Notify>,
}

impl FromRequest for Editor {
    type Error = <Actor as FromRequest>::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let actor = Actor::from_request(request, payload).into_inner();
        ready(actor.map(|actor| Self {
            db: given(request),
            actor,
            in_place: is_in_place(request),
            index: given(request),
            written: given(request),
        }))
    }
}

fn given<T: 'static>(request: &HttpRequest) -> Data<T> {
    let given = request.app_data::<Data<T>>();
    Data::clone(given.expect("the server was given what its handlers use"))
}

impl Editor {
    /// Saves one aspect; the editor finds it by its words when this returns.
    pub(crate) async fn save<A: AssetAspect>(
        &self,
        id: AssetId,
        draft: Draft<A>,
    ) -> Result<Revision<A>, EditError<A>> {
        let saved = human::revise(&self.db, &self.actor, id, draft, Utc::now()).await?;
        self.show(id).await;
        Ok(saved)
    }

    /// The index in which names are looked up.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Reads what an aspect said before the save that made this version; nothing where the history does not tell.
    pub(crate) async fn before<A: AssetAspect>(
        &self,
        id: AssetId,
        present: &A,
        version: i32,
    ) -> Result<Option<A>, catalog::Error> {
        human::content_before(&self.db, &self.actor, id, (present, version)).await
    }

    /// Gives a column the description that was written about another one.
    pub(crate) async fn move_description(
        &self,
        id: AssetId,
        columns: (&str, &str),
    ) -> Result<(), EditError<ColumnDescription>> {
        human::move_column_description(&self.db, &self.actor, id, columns, Utc::now()).await?;
        self.show(id).await;
        Ok(())
    }

    /// Lets the next search find what was saved. It is saved, whatever becomes of that.
    async fn show(&self, id: AssetId) {
        if let Err(cause) = follow::show(&self.db, &self.index, id.subject()).await {
            tracing::warn!(cause = chain(&cause), "the search index lags behind");
        }
        self.written.notify_one();
    }
}
