//! Table `asset`: assets with both of their layers.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "asset")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub identity: String,
    pub kind: String,
    pub platform: String,
    pub instance: String,
    pub path: String,
    pub sort_key: String,
    pub parent_id: Option<Uuid>,
    pub source: String,
    pub source_hash: String,
    pub facts: String,
    pub facts_hash: String,
    pub first_seen: DateTimeUtc,
    pub last_seen: DateTimeUtc,
    pub gone_at: Option<DateTimeUtc>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
