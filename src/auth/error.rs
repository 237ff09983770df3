//! Why something about accounts was refused.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::DbErr;
use uuid::Uuid;

use super::accounts::RoleGrant;
use super::directories::ldap;
use super::name::BadName;
use super::password::{Crowded, WeakPassword};
use super::permission::{Denied, UnknownWord};
use super::scopes;
use super::tokens::LONGEST_LIFE;
use crate::db::{self, BadCursor};
use crate::error::{Explain, Kind};

/// Why something about accounts, sessions or tokens was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("There is no such account.")]
    UnknownAccount,
    #[error("There is no such team.")]
    UnknownTeam,
    #[error("There is no such session.")]
    UnknownSession,
    #[error("There is no such token.")]
    UnknownToken,
    #[error("The name “{0}” is taken, or looks like one that is.")]
    NameTaken(String),
    #[error(transparent)]
    BadName(#[from] BadName),
    #[error("A display name is one line of no more than 100 characters.")]
    BadDisplayName,
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    #[error(transparent)]
    UnknownWord(#[from] UnknownWord),
    #[error("Name or password is wrong.")]
    WrongNameOrPassword,
    #[error("The current password is wrong.")]
    WrongPassword,
    #[error("Another account is linked to this identity.")]
    IdentityTaken,
    #[error("This account is locked.")]
    Locked,
    #[error("None of your groups may use this catalog.")]
    NoRole,
    #[error("The provider left your groups out, as it does when somebody is in very many.")]
    GroupsLeftOut,
    #[error("That was tried too often. Try again in {}.", in_words(*.0))]
    TooManyAttempts(TimeDelta),
    #[error(transparent)]
    Crowded(#[from] Crowded),
    #[error("This address does not work: it was used, is too old, or was not copied whole.")]
    SpentLink,
    #[error("Somebody has to be an admin who is not locked.")]
    LastAdmin,
    #[error(
        "A steward is given no more than {} scopes one by one.",
        RoleGrant::MOST_SCOPES
    )]
    TooManyScopes,
    #[error("The account “{0}” has a password or another role, so the button is off.")]
    DemoTaken(String),
    #[error("This account belongs to a service, which never signs in.")]
    NotAPerson,
    #[error("A token has a name of one line with no more than 64 characters.")]
    BadTokenName,
    #[error("A token is for something: read, write or ingest.")]
    TokenForNothing,
    #[error("A token lasts from 1 to {LONGEST_LIFE} days.")]
    TokenTooLong,
    #[error("People make their own tokens.")]
    TokenOfAnother,
    #[error(transparent)]
    Directory(#[from] ldap::Error),
    #[error(transparent)]
    BadCursor(#[from] BadCursor),
    #[error(transparent)]
    Scope(#[from] scopes::Error),
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("The row of {0} cannot be read.")]
    Damaged(Uuid, #[source] UnknownWord),
    #[error("The accounts could not be read or written.")]
    Database(#[from] DbErr),
}

/// A waiting time as people say it, never shorter than it is.
fn in_words(wait: TimeDelta) -> String {
    let seconds = wait.num_seconds().max(0) + 1;
    match (seconds, (seconds + 59) / 60) {
        (1, _) => "1 second".to_owned(),
        (seconds, _) if seconds < 60 => format!("{seconds} seconds"),
        (_, 1) => "1 minute".to_owned(),
        (_, minutes) => format!("{minutes} minutes"),
    }
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownAccount
            | Self::UnknownTeam
            | Self::UnknownSession
            | Self::UnknownToken
            | Self::SpentLink => Kind::NotFound,
            Self::NameTaken(_) | Self::IdentityTaken | Self::LastAdmin => Kind::Conflict,
            Self::BadName(_)
            | Self::BadDisplayName
            | Self::Weak(_)
            | Self::UnknownWord(_)
            | Self::WrongPassword
            | Self::NotAPerson
            | Self::TooManyScopes
            | Self::BadTokenName
            | Self::TokenForNothing
            | Self::TokenTooLong
            | Self::BadCursor(_) => Kind::Invalid,
            Self::WrongNameOrPassword => Kind::Unauthenticated,
            Self::Locked
            | Self::NoRole
            | Self::GroupsLeftOut
            | Self::DemoTaken(_)
            | Self::TokenOfAnother => Kind::Forbidden,
            Self::TooManyAttempts(_) | Self::Crowded(_) => Kind::TooMany,
            Self::Scope(error) => error.kind(),
            Self::Directory(error) => error.kind(),
            Self::Denied(denied) => denied.kind(),
            Self::Damaged(..) => Kind::Internal,
            Self::Database(cause) => db::kind_of(cause),
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NameTaken(_) => Some("Choose another one."),
            Self::BadName(error) => error.hint(),
            Self::Weak(error) => error.hint(),
            Self::Locked | Self::NoRole => Some("Ask an admin of this catalog to let you in."),
            Self::GroupsLeftOut => Some(
                "Ask an admin of this catalog: the provider can send the groups of this application alone.",
            ),
            Self::SpentLink => Some(
                "Ask an admin for a new one; an operator makes one with “gazetteer user reset-link NAME”.",
            ),
            Self::LastAdmin => Some("Make somebody else an admin first."),
            Self::DemoTaken(_) => Some("Sign in with its name and password."),
            Self::NotAPerson => Some("Make a token for it."),
            Self::TooManyScopes => Some("Name sources instead of their databases."),
            Self::TokenOfAnother => Some("Make a service account for a program."),
            Self::Crowded(_) => Some("Try again in a few seconds."),
            Self::BadCursor(_) => Some("Start from the first page."),
            Self::Scope(error) => error.hint(),
            Self::Directory(error) => error.hint(),
            Self::Denied(denied) => denied.hint(),
            Self::WrongNameOrPassword => Some(
                "Type both again. An admin can make a link with which you choose a new password.",
            ),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyAttempts(wait) => {
                Some(wait.to_std().unwrap_or_default() + Duration::from_secs(1))
            }
            Self::Crowded(_) => Some(Duration::from_secs(2)),
            _ => None,
        }
    }
}
