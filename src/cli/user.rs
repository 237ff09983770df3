//! `gazetteer user …`.

use std::process::ExitCode;

use chrono::Utc;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::table::print_table;
use super::{Failure, find_account, open_database, print, say, when};
use crate::auth::accounts::{self, Account, AccountKind, NewAccount, RoleGrant};
use crate::auth::{AccountName, Actor, Role, Scope, StewardScope, Visibility, links};
use crate::catalog;
use crate::config::{self, PublicUrl};
use crate::db::{Db, PageRequest};
use crate::web;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create an account, and print its invitation link
    Add(Add),
    /// List the accounts
    List {
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Give an account another role, from its next request on
    Role(ChangeRole),
    /// Lock an account: its sessions end at once, and its tokens and links no longer work
    Lock { name: AccountName },
    /// Let a locked account in again
    Unlock { name: AccountName },
    /// Print a link for a new password; it works once
    ResetLink {
        name: AccountName,
        #[command(flatten)]
        public: config::Public,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// User name
    name: AccountName,
    /// What it may do: reader, steward or admin
    #[arg(long, default_value_t = Role::Reader)]
    role: Role,
    #[command(flatten)]
    scopes: Scopes,
    /// Display name
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// For a program: it never signs in, and uses tokens
    #[arg(long)]
    service: bool,
    #[command(flatten)]
    public: config::Public,
}

#[derive(Debug, Args)]
pub(super) struct ChangeRole {
    name: AccountName,
    /// What it may do: reader, steward or admin
    role: Role,
    #[command(flatten)]
    scopes: Scopes,
}

#[derive(Debug, Args)]
struct Scopes {
    /// For a steward: only of this source (glue:INSTANCE) or database (glue:INSTANCE/DATABASE); may be given often
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

pub(super) async fn run(storage: &config::Storage, command: Command) -> Result<ExitCode, Failure> {
    let db = open_database(storage).await?;
    match command {
        Command::Add(options) => add(&db, &options).await?,
        Command::List { json } => list(&db, json).await?,
        Command::Role(options) => change_role(&db, &options).await?,
        Command::Lock { name } => {
            let account = find_account(&db, &name).await?;
            accounts::lock(&db, &Actor::operator(), account.id, Utc::now()).await?;
            print(format_args!("“{}” is locked.", account.name))?;
        }
        Command::Unlock { name } => {
            let account = find_account(&db, &name).await?;
            accounts::unlock(&db, &Actor::operator(), account.id, Utc::now()).await?;
            print(format_args!("“{}” is not locked.", account.name))?;
        }
        Command::ResetLink { name, public } => {
            let public = public.read()?;
            let account = find_account(&db, &name).await?;
            print_link(&db, &account, &public).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn add(db: &Db, options: &Add) -> Result<(), Failure> {
    let public = options.public.read()?;
    let new = NewAccount {
        kind: if options.service {
            AccountKind::Service
        } else {
            AccountKind::Person
        },
        name: options.name.clone(),
        display_name: options.display_name.clone(),
        standing: standing(db, options.role, &options.scopes).await?,
    };
    let account = accounts::create(db, &Actor::operator(), &new, Utc::now()).await?;
    say(format_args!(
        "Made the account “{}”, {}.",
        account.name, new.standing
    ));
    match account.kind {
        AccountKind::Person => print_link(db, &account, &public).await,
        AccountKind::Service => {
            say(format_args!(
                "Make a token for it with `gazetteer token add {} --name …`.",
                account.name
            ));
            Ok(())
        }
    }
}

/// Prints the link alone on standard output, so that a script can send it.
async fn print_link(db: &Db, account: &Account, public: &PublicUrl) -> Result<(), Failure> {
    let link = links::to_choose_password(db, &Actor::operator(), account.id, Utc::now()).await?;
    say(format_args!(
        "With this link “{}” chooses a password; it works once, until {}:",
        account.name,
        when(link.expires_at)
    ));
    print(public.page(&web::links::choose_password(link.secret.expose_secret())))
}

async fn change_role(db: &Db, options: &ChangeRole) -> Result<(), Failure> {
    let account = find_account(db, &options.name).await?;
    let standing = standing(db, options.role, &options.scopes).await?;
    let said = format!("“{}” is {standing}.", account.name);
    accounts::set_standing(db, &Actor::operator(), account.id, standing, Utc::now()).await?;
    print(said)
}

async fn standing(db: &Db, role: Role, scopes: &Scopes) -> Result<RoleGrant, Failure> {
    if scopes.scopes.is_empty() {
        return Ok(RoleGrant::new(role, None));
    }
    if role != Role::Steward {
        let unfit = Failure::usage(format!("A {role} is one everywhere, not in single scopes."));
        return Err(unfit.hinting("Leave --scope out, or choose the role steward."));
    }
    let mut found: Vec<Scope> = Vec::with_capacity(scopes.scopes.len());
    for words in &scopes.scopes {
        found.push(catalog::find_scope(db, &Visibility::Everything, words).await?);
    }
    Ok(RoleGrant::new(role, Some(found)))
}

/// An account with everything that the list shows.
struct Listed {
    account: Account,
    standing: RoleGrant,
    /// The names of the scopes; nothing for a standing everywhere.
    scopes: Option<Vec<String>>,
}

async fn list(db: &Db, json: bool) -> Result<(), Failure> {
    let listed = find_all(db).await?;
    if json {
        let all: Vec<Value> = listed.iter().map(Listed::json).collect();
        return print(Value::from(all));
    }
    if listed.is_empty() {
        say("Nobody has an account yet.");
        return Ok(());
    }
    let rows: Vec<_> = listed.iter().map(Listed::row).collect();
    print_table(
        [
            "NAME",
            "DISPLAY NAME",
            "KIND",
            "ROLE",
            "STATE",
            "LAST SIGN-IN",
        ],
        &rows,
    )
}

async fn find_all(db: &Db) -> Result<Vec<Listed>, Failure> {
    let operator = Actor::operator();
    let mut listed = Vec::new();
    let mut request = PageRequest::first(PageRequest::MOST);
    loop {
        let page = accounts::list(db, &operator, "", &request).await?;
        let mut standings = accounts::list_standings(db, &operator, &page.items).await?;
        for account in page.items {
            let standing = standings.remove(&account.id).unwrap_or(RoleGrant::READER);
            listed.push(Listed {
                account,
                standing,
                scopes: None,
            });
        }
        match page.next {
            Some(after) => request = PageRequest::new(Some(after), request.limit),
            None => break,
        }
    }
    name_scopes(db, &mut listed).await?;
    Ok(listed)
}

/// Looks the names of all scopes up at once.
async fn name_scopes(db: &Db, listed: &mut [Listed]) -> Result<(), Failure> {
    let scopes: Vec<Scope> = listed
        .iter()
        .flat_map(|listed| scopes_of(&listed.standing).unwrap_or_default())
        .cloned()
        .collect();
    let mut names = catalog::name_scopes(db, &scopes).await?.into_iter();
    for listed in listed {
        let scopes = scopes_of(&listed.standing).map(<[Scope]>::len);
        listed.scopes = scopes.map(|count| names.by_ref().take(count).collect());
    }
    Ok(())
}

fn scopes_of(standing: &RoleGrant) -> Option<&[Scope]> {
    match standing.steward_scope() {
        StewardScope::Everything => None,
        StewardScope::Scopes(scopes) => Some(scopes),
    }
}

impl Listed {
    fn row(&self) -> [String; 6] {
        let account = &self.account;
        let role = match &self.scopes {
            None => account.role.to_string(),
            Some(scopes) if scopes.is_empty() => format!("{} of nothing yet", account.role),
            Some(scopes) => format!("{} of {}", account.role, scopes.join(", ")),
        };
        [
            account.name.clone(),
            account.display_name.clone().unwrap_or_default(),
            account.kind.as_str().to_owned(),
            role,
            if account.locked_at.is_some() {
                "locked"
            } else {
                "open"
            }
            .to_owned(),
            account
                .signed_in_at
                .map_or_else(|| "never".to_owned(), when),
        ]
    }

    fn json(&self) -> Value {
        let account = &self.account;
        json!({
            "id": account.id,
            "name": account.name,
            "display_name": account.display_name,
            "kind": account.kind,
            "role": account.role,
            "scopes": self.scopes,
            "created_at": account.created_at,
            "signed_in_at": account.signed_in_at,
            "locked_at": account.locked_at,
        })
    }
}
