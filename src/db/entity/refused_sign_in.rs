//! Table `refused_sign_in`: from where sign-ins to an account were refused, how often and when.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "refused_sign_in")]
pub struct Model {
    /// Nil for names that no account has.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    /// Empty for all addresses that are no longer listed one by one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: String,
    pub count: i64,
    pub first_at: DateTimeUtc,
    pub last_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
