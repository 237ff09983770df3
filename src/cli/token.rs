//! `gazetteer token …`.

use std::process::ExitCode;

use chrono::Utc;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::table::print_table;
use super::{Failure, find_account, open_database, print, say, when};
use crate::auth::tokens::{self, NewToken, Token};
use crate::auth::{AccountName, Actor, TokenScope};
use crate::config;
use crate::db::{Db, PageRequest};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token, and print it this once
    Add(Add),
    /// List the tokens of an account, the newest first
    List {
        account: AccountName,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a token worthless
    Revoke {
        /// The token's id, as `token list` prints it
        id: Uuid,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Whom programs with the token act for
    account: AccountName,
    /// What the token is called
    #[arg(long)]
    name: String,
    /// What it may be used for: read, write or ingest; may be given often
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<TokenScope>,
    /// After how many days it ends
    #[arg(long, default_value_t = 90)]
    days: i64,
}

pub(super) async fn run(storage: &config::Storage, command: Command) -> Result<ExitCode, Failure> {
    let db = open_database(storage).await?;
    match command {
        Command::Add(options) => add(&db, &options).await?,
        Command::List { account, json } => list(&db, &account, json).await?,
        Command::Revoke { id } => {
            tokens::revoke(&db, &Actor::operator(), id, Utc::now()).await?;
            print("The token no longer works.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the token alone on standard output, so that a script can keep it.
async fn add(db: &Db, options: &Add) -> Result<(), Failure> {
    let account = find_account(db, &options.account).await?;
    let new = NewToken {
        name: &options.name,
        scopes: options.scopes.iter().copied().collect(),
        days: options.days,
    };
    let made = tokens::make(db, &Actor::operator(), account.id, &new, Utc::now()).await?;
    say(format_args!(
        "Made the token “{}” of “{}” ({}). It works until {}, and is shown this once:",
        made.token.name,
        account.name,
        made.token.id,
        when(made.token.expires_at)
    ));
    print(made.secret.expose_secret())
}

async fn list(db: &Db, account: &AccountName, json: bool) -> Result<(), Failure> {
    let account = find_account(db, account).await?;
    let mut all = Vec::new();
    let mut request = PageRequest::first(PageRequest::MOST);
    loop {
        let page = tokens::list(db, &Actor::operator(), account.id, &request).await?;
        all.extend(page.items);
        match page.next {
            Some(after) => request = PageRequest::new(Some(after), request.limit),
            None => break,
        }
    }
    if json {
        return print(Value::from_iter(all.iter().map(as_json)));
    }
    if all.is_empty() {
        say(format_args!("“{}” has no tokens.", account.name));
        return Ok(());
    }
    let rows: Vec<_> = all.iter().map(row).collect();
    print_table(
        ["ID", "NAME", "SCOPES", "STATE", "ENDS", "LAST USED"],
        &rows,
    )
}

fn scopes(token: &Token) -> Vec<&'static str> {
    token.scopes.iter().map(|scope| scope.as_str()).collect()
}

fn row(token: &Token) -> [String; 6] {
    [
        token.id.to_string(),
        token.name.clone(),
        scopes(token).join(" "),
        state(token).to_owned(),
        when(token.expires_at),
        token.used_at.map_or_else(|| "never".to_owned(), when),
    ]
}

fn state(token: &Token) -> &'static str {
    if token.revoked_at.is_some() {
        "revoked"
    } else if token.expires_at <= Utc::now() {
        "ended"
    } else {
        "works"
    }
}

fn as_json(token: &Token) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "scopes": scopes(token),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "used_at": token.used_at,
        "revoked_at": token.revoked_at,
    })
}
