//! Table `change_group`: what one batch changed in one database, in numbers.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "change_group")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub batch: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub database_id: Uuid,
    pub danger: i16,
    pub itself: i16,
    pub removed: i64,
    pub dropped: i64,
    pub retyped: i64,
    pub changed: i64,
    pub added: i64,
    pub edited: i64,
    pub dropped_columns: i64,
    pub retyped_columns: i64,
    pub first_seq: i64,
    pub first_at: DateTimeUtc,
    pub last_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
