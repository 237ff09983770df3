//! What happens to accounts, teams, sessions and tokens, as it stands in the change log.

use chrono::{DateTime, Utc};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};

use super::accounts::RoleGrant;
use super::permission::TokenScope;
use super::sessions::Method;
use super::{Actor, Scope};
use crate::db::{Subject, Txn, changes};

/// Something that happened, with the names that everybody had then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", content = "details", rename_all = "snake_case")]
pub enum Event {
    AccountCreated {
        account: String,
        standing: RoleGrant,
    },
    StandingChanged {
        account: String,
        before: RoleGrant,
        after: RoleGrant,
    },
    DisplayNameChanged {
        account: String,
        before: Option<String>,
        after: Option<String>,
    },
    AccountLocked {
        account: String,
    },
    AccountUnlocked {
        account: String,
    },
    PasswordLinkMade {
        account: String,
    },
    PasswordChosen {
        account: String,
    },
    IdentityLinked {
        account: String,
        issuer: String,
    },
    SignedIn {
        account: String,
        method: Method,
        address: String,
    },
    SignInRefused {
        account: Option<String>,
        reason: Refused,
        address: String,
    },
    SignedOut {
        account: String,
    },
    /// On one's profile, where it is asked before another is chosen.
    CurrentPasswordWrong {
        account: String,
        address: String,
    },
    SessionsEnded {
        account: String,
        count: u64,
    },
    TeamCreated {
        team: String,
    },
    MemberAdded {
        team: String,
        account: String,
    },
    MemberRemoved {
        team: String,
        account: String,
    },
    TokenMade {
        account: String,
        token: String,
        scopes: Vec<TokenScope>,
        expires_at: DateTime<Utc>,
    },
    TokenRevoked {
        account: String,
        token: String,
    },
    /// People and teams in words, here and below.
    ScopeRestricted {
        scope: Scope,
        after: Vec<String>,
    },
    AdmissionChanged {
        scope: Scope,
        before: Vec<String>,
        after: Vec<String>,
    },
    ScopeOpened {
        scope: Scope,
        before: Vec<String>,
    },
}

/// Why a sign-in was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    UnknownName,
    WrongPassword,
    Locked,
    NoRole,
    /// The provider said that there are too many to name.
    GroupsLeftOut,
    NotInDirectory,
}

impl Event {
    /// The words of what happens when people come and go.
    pub const SIGN_INS: [&'static str; 5] = [
        "signed_in",
        "sign_in_refused",
        "signed_out",
        "current_password_wrong",
        "sessions_ended",
    ];

    /// The word in the log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AccountCreated { .. } => "account_created",
            Self::StandingChanged { .. } => "standing_changed",
            Self::DisplayNameChanged { .. } => "display_name_changed",
            Self::AccountLocked { .. } => "account_locked",
            Self::AccountUnlocked { .. } => "account_unlocked",
            Self::PasswordLinkMade { .. } => "password_link_made",
            Self::PasswordChosen { .. } => "password_chosen",
            Self::IdentityLinked { .. } => "identity_linked",
            Self::SignedIn { .. } => "signed_in",
            Self::SignInRefused { .. } => "sign_in_refused",
            Self::SignedOut { .. } => "signed_out",
            Self::CurrentPasswordWrong { .. } => "current_password_wrong",
            Self::SessionsEnded { .. } => "sessions_ended",
            Self::TeamCreated { .. } => "team_created",
            Self::MemberAdded { .. } => "member_added",
            Self::MemberRemoved { .. } => "member_removed",
            Self::TokenMade { .. } => "token_made",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::ScopeRestricted { .. } => "scope_restricted",
            Self::AdmissionChanged { .. } => "admission_changed",
            Self::ScopeOpened { .. } => "scope_opened",
        }
    }

    /// Reads an event back from the log; nothing if it is of another kind.
    pub fn read(action: &str, details: &str) -> Option<Self> {
        let details: serde_json::Value = serde_json::from_str(details).ok()?;
        serde_json::from_value(serde_json::json!({"action": action, "details": details})).ok()
    }

    /// The scope that it is about, if it is about one.
    pub fn scope(&self) -> Option<&Scope> {
        match self {
            Self::ScopeRestricted { scope, .. }
            | Self::AdmissionChanged { scope, .. }
            | Self::ScopeOpened { scope, .. } => Some(scope),
            _ => None,
        }
    }

    /// Tells it as a sentence.
    #[expect(
        clippy::too_many_lines,
        reason = "a table: one sentence for each event"
    )]
    pub fn sentence(&self) -> String {
        match self {
            Self::AccountCreated { account, standing } => {
                format!("Made the account “{account}”, {standing}.")
            }
            Self::StandingChanged {
                account,
                before,
                after,
            } => {
                format!("Made “{account}” {after}; it was {before}.")
            }
            Self::DisplayNameChanged { account, after, .. } => match after {
                Some(after) => format!("Gave “{account}” the name “{after}”."),
                None => format!("Took away the name of “{account}”."),
            },
            Self::AccountLocked { account } => format!("Locked “{account}”."),
            Self::AccountUnlocked { account } => format!("Unlocked “{account}”."),
            Self::PasswordLinkMade { account } => {
                format!("Made a link with which “{account}” can choose a password.")
            }
            Self::PasswordChosen { account } => format!("Chose a new password for “{account}”."),
            Self::IdentityLinked { account, issuer } => {
                format!("Linked “{account}” to its identity at {issuer}.")
            }
            Self::SignedIn {
                account,
                method,
                address,
            } => {
                format!("Signed in as “{account}” {method}, from {address}.")
            }
            Self::SignInRefused {
                account,
                reason,
                address,
            } => {
                let whose = account.as_deref();
                let whose = whose.map_or("an unknown name".to_owned(), |name| format!("“{name}”"));
                format!(
                    "A sign-in as {whose} from {address} was refused: {}.",
                    reason.as_str()
                )
            }
            Self::SignedOut { account } => format!("Signed “{account}” out."),
            Self::CurrentPasswordWrong { account, address } => {
                format!(
                    "Typed a wrong current password of “{account}” on the profile, from {address}."
                )
            }
            Self::SessionsEnded { account, count: 1 } => format!("Ended a session of “{account}”."),
            Self::SessionsEnded { account, count } => {
                format!("Ended {count} sessions of “{account}”.")
            }
            Self::TeamCreated { team } => format!("Made the team “{team}”."),
            Self::MemberAdded { team, account } => {
                format!("Added “{account}” to the team “{team}”.")
            }
            Self::MemberRemoved { team, account } => {
                format!("Took “{account}” out of the team “{team}”.")
            }
            Self::TokenMade {
                account,
                token,
                scopes,
                ..
            } => {
                let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
                format!(
                    "Made the token “{token}” of “{account}”, to {}.",
                    scopes.join(" and ")
                )
            }
            Self::TokenRevoked { account, token } => {
                format!("Revoked the token “{token}” of “{account}”.")
            }
            Self::ScopeRestricted { .. }
            | Self::AdmissionChanged { .. }
            | Self::ScopeOpened { .. } => self.sentence_on_scope().unwrap_or_default(),
        }
    }

    fn sentence_on_scope(&self) -> Option<String> {
        match self {
            Self::ScopeRestricted { scope, after } => {
                Some(format!("Restricted {scope} to {}.", listed(after)))
            }
            Self::AdmissionChanged {
                scope,
                before,
                after,
            } => Some(format!(
                "Restricted {scope} to {}; it was restricted to {}.",
                listed(after),
                listed(before)
            )),
            Self::ScopeOpened { scope, before } => Some(format!(
                "Opened {scope} to everybody; it was restricted to {}.",
                listed(before)
            )),
            _ => None,
        }
    }

    /// Writes it into the log.
    pub(super) async fn log(
        &self,
        txn: &Txn,
        actor: &Actor,
        subject: Subject,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let tagged = serde_json::to_value(self).expect("an event is plain text");
        let details = tagged.get("details").unwrap_or_default().to_string();
        let entry = actor.entry(subject, self.as_str(), details, now);
        changes::append(txn, vec![entry]).await
    }
}

/// Whom a scope admits, in words.
fn listed(admitted: &[String]) -> String {
    match admitted {
        [] => "admins".to_owned(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

impl Refused {
    /// The reason, for the middle of a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownName => "there is no such account",
            Self::WrongPassword => "the password was wrong",
            Self::Locked => "the account is locked",
            Self::NoRole => "no group of theirs has a role here",
            Self::GroupsLeftOut => "the provider left their groups out",
            Self::NotInDirectory => "the directory did not take name and password",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_back_as_it_was_written() {
        let event = Event::SignInRefused {
            account: None,
            reason: Refused::UnknownName,
            address: "::1".to_owned(),
        };
        let tagged = serde_json::to_value(&event).unwrap();
        assert_eq!(tagged["action"], event.as_str());
        assert_eq!(
            Event::read(event.as_str(), &tagged["details"].to_string()),
            Some(event)
        );
        assert_eq!(Event::read("changed", "{}"), None);
    }
}
