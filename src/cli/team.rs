//! `gazetteer team …`.

use std::process::ExitCode;

use chrono::Utc;
use clap::Subcommand;
use serde_json::{Value, json};

use super::table::print_table;
use super::{Failure, find_account, open_database, print, say, when};
use crate::auth::teams::{self, Team};
use crate::auth::{self, AccountName, Actor, TeamName};
use crate::config;
use crate::db::{Db, PageRequest};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a team
    Add { team: TeamName },
    /// List the teams
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Add somebody to a team
    Join {
        team: TeamName,
        account: AccountName,
    },
    /// Take somebody out of a team
    Leave {
        team: TeamName,
        account: AccountName,
    },
}

pub(super) async fn run(storage: &config::Storage, command: Command) -> Result<ExitCode, Failure> {
    let db = open_database(storage).await?;
    let operator = Actor::operator();
    match command {
        Command::Add { team } => {
            let team = teams::create(&db, &operator, &team, Utc::now()).await?;
            print(format_args!("Made the team “{}”.", team.name))?;
        }
        Command::List { json } => list(&db, json).await?,
        Command::Join { team, account } => {
            let team = find(&db, &team).await?;
            let account = find_account(&db, &account).await?;
            teams::add_member(&db, &operator, (team.id, account.id), Utc::now()).await?;
            print(format_args!(
                "“{}” is in the team “{}”.",
                account.name, team.name
            ))?;
        }
        Command::Leave { team, account } => {
            let team = find(&db, &team).await?;
            let account = find_account(&db, &account).await?;
            teams::remove_member(&db, &operator, (team.id, account.id), Utc::now()).await?;
            print(format_args!(
                "“{}” is not in the team “{}”.",
                account.name, team.name
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Finds a team by its name, or says that there is none.
async fn find(db: &Db, name: &TeamName) -> Result<Team, Failure> {
    match teams::find_named(db, &Actor::operator(), name).await {
        Err(auth::Error::UnknownTeam) => {
            let unknown = Failure::new(format!("There is no team named “{name}”."));
            Err(unknown.hinting("List the teams with `gazetteer team list`."))
        }
        found => Ok(found?),
    }
}

async fn list(db: &Db, json: bool) -> Result<(), Failure> {
    let mut all = Vec::new();
    let mut request = PageRequest::first(PageRequest::MOST);
    loop {
        let page = teams::list(db, &Actor::operator(), &request).await?;
        all.extend(page.items);
        match page.next {
            Some(after) => request = PageRequest::new(Some(after), request.limit),
            None => break,
        }
    }
    if json {
        let all = all
            .iter()
            .map(|team| json!({"id": team.id, "name": team.name, "created_at": team.created_at}));
        return print(Value::from_iter(all));
    }
    if all.is_empty() {
        say("There is no team yet.");
        return Ok(());
    }
    let rows: Vec<_> = all
        .into_iter()
        .map(|team| [team.name, when(team.created_at)])
        .collect();
    print_table(["TEAM", "MADE"], &rows)
}
