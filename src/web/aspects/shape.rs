//! How what people say of an asset looks in JSON.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::api::composed;
use super::form::Form;
use crate::catalog::HumanLayer;
use crate::catalog::human::{ColumnDescription, for_each_aspect};
use crate::revisions::{Aspect, Revision};
use crate::web::api::ActorShape;

macro_rules! human_shape {
    ($($field:ident: $aspect:ty),+ $(,)?) => {
        /// What people say, aspect by aspect.
        #[derive(Debug, Serialize)]
        pub(crate) struct HumanShape {
            $($field: RevisionShape<<$aspect as Form>::Shape>,)+
            columns: BTreeMap<String, RevisionShape<<ColumnDescription as Form>::Shape>>,
        }

        impl From<HumanLayer> for HumanShape {
            fn from(human: HumanLayer) -> Self {
                let columns = human.columns.into_iter();
                Self {
                    $($field: human.$field.into(),)+
                    columns: columns.map(|(path, column)| (path, column.into())).collect(),
                }
            }
        }

        // By hand: the derive does not understand the type of a shape that an aspect names.
        impl PartialSchema for HumanShape {
            fn schema() -> RefOr<Schema> {
                let columns = ObjectBuilder::new()
                    .description(Some(
                        "Descriptions of columns by their path, of columns that are no longer there among them.",
                    ))
                    .additional_properties(Some(reference::<ColumnDescription>()));
                ObjectBuilder::new()
                    .description(Some("What people say, aspect by aspect."))
                    $(.property(stringify!($field), reference::<$aspect>()).required(stringify!($field)))+
                    .property("columns", columns)
                    .required("columns")
                    .into()
            }
        }
    };
}

for_each_aspect!(human_shape);

impl ToSchema for HumanShape {}

fn reference<A: Form>() -> Ref {
    Ref::from_schema_name(composed::<A::Shape>("RevisionShape"))
}

/// One aspect with its version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevisionShape<S> {
    #[serde(flatten)]
    content: S,
    /// Grows with every edit; 0 before the first.
    #[schema(minimum = 0)]
    version: i32,
    /// Who edited it last.
    edited_by: Option<ActorShape>,
    edited_at: Option<DateTime<Utc>>,
}

impl<A: Aspect, S: From<A>> From<Revision<A>> for RevisionShape<S> {
    fn from(revision: Revision<A>) -> Self {
        let (who, at) = revision.edited.unzip();
        Self {
            content: revision.content.into(),
            version: revision.version,
            edited_by: who.map(ActorShape::from),
            edited_at: at,
        }
    }
}
