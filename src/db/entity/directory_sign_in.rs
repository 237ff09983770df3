//! Table `directory_sign_in`: the last sign-ins with a directory, and what it said of the people.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "directory_sign_in")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: DateTimeUtc,
    pub method: String,
    pub outcome: String,
    pub name: Option<String>,
    pub address: String,
    pub reason: String,
    /// JSON: names and types of claims, groups, what could not be read.
    pub seen: String,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
