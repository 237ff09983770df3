//! Table `run`: runs of recipes.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub recipe: String,
    pub started_by: String,
    pub actor: String,
    pub state: String,
    pub active: Option<String>,
    pub process: String,
    pub started_at: DateTimeUtc,
    pub heartbeat_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub counts: String,
    pub failure: Option<String>,
    pub due: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
