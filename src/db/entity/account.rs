//! Table `account`: people and services that can sign in.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub name: String,
    pub look: String,
    pub display_name: Option<String>,
    pub role: String,
    pub everywhere: bool,
    pub password_hash: Option<String>,
    pub created_at: DateTimeUtc,
    pub signed_in_at: Option<DateTimeUtc>,
    pub locked_at: Option<DateTimeUtc>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
