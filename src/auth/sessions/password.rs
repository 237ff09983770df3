//! Signing in with name and password (counted, checked, let in or written down), and changing one's password.

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::attempts::{self, Counted, Trying};
use super::{
    Begun, Lifetimes, Method, Origin, SignedIn, about, begin, known_browser, refusals, store,
};
use crate::auth::accounts::{self, Account};
use crate::auth::event::{Event, Refused};
use crate::auth::name::AccountName;
use crate::auth::password::{Password, Passwords};
use crate::auth::permission::Permission;
use crate::auth::{AccountId, Actor, Error, links};
use crate::db::{Db, Subject, Txn};

/// Signs a person in with name and password, unless they or their network have tried too often.
///
/// Takes as long and says the same whether the name exists.
pub async fn sign_in(
    db: &Db,
    passwords: &Passwords,
    known: (&str, &SecretString),
    from: &Origin,
    lifetimes: Lifetimes,
) -> Result<Begun, Error> {
    let checked = check(db, passwords, known, from).await?;
    conclude(db, checked, from, lifetimes).await
}

/// A try to sign in whose password was compared with that of an account here.
#[derive(Debug)]
pub(in crate::auth) struct Checked {
    /// The account of that name, if there is one.
    pub(in crate::auth) account: Option<Account>,
    pub(in crate::auth) counted: Counted,
    pub(in crate::auth) matches: bool,
}

/// Counts a try, and compares the password with that of the account of this name.
///
/// A name that only looks like that of an account is not its name.
pub(in crate::auth) async fn check(
    db: &Db,
    passwords: &Passwords,
    (name, password): (&str, &SecretString),
    from: &Origin,
) -> Result<Checked, Error> {
    let now = Utc::now();
    let name: Result<AccountName, _> = name.parse().map_err(|_bad| name.trim().to_lowercase());
    let account = match &name {
        Ok(name) => accounts::store::find_by_skeleton(&**db, &name.skeleton()).await?,
        Err(_) => None,
    };
    let name = name.map_or_else(|typed| typed, |name| name.to_string());
    let account = account.filter(|account| account.name == name);
    let browser = match &account {
        Some(account) => known_browser::find(db, account, &from.marks, now).await?,
        None => None,
    };
    let trying = match browser {
        Some(browser) => Trying::known(&browser),
        None => Trying::unknown(&name, from.address),
    };
    let counted = attempts::begin(db, trying, now).await?;
    let hash = account
        .as_ref()
        .and_then(|account| account.password_hash.clone());
    let matches = compare(db, passwords, (password, hash), &counted).await?;
    Ok(Checked {
        account,
        counted,
        matches,
    })
}

/// Compares a password with a hash. The try is taken back when there is no time to look at the password.
async fn compare(
    db: &Db,
    passwords: &Passwords,
    (password, hash): (&SecretString, Option<String>),
    counted: &Counted,
) -> Result<bool, Error> {
    match passwords.check(password, hash, counted.is_known()).await {
        Ok(matches) => Ok(matches),
        Err(crowded) => {
            take_back(db, counted).await?;
            Err(crowded.into())
        }
    }
}

async fn take_back(db: &Db, counted: &Counted) -> Result<(), Error> {
    let txn = db.write().await?;
    counted.take_back(&txn).await?;
    txn.commit().await?;
    Ok(())
}

/// Lets in who has the password of an account here, and writes down who was refused.
pub(in crate::auth) async fn conclude(
    db: &Db,
    checked: Checked,
    from: &Origin,
    lifetimes: Lifetimes,
) -> Result<Begun, Error> {
    let now = Utc::now();
    let txn = db.write().await?;
    let Some(before) = checked.account else {
        let cause = (Refused::UnknownName, checked.counted.goes_on_record);
        return refuse(txn, None, cause, from, now).await;
    };
    // Read anew: it may have been locked, or given another password, while this one was checked.
    let account = accounts::store::find(&*txn, before.id).await?;
    let is_right = checked.matches && account.password_hash == before.password_hash;
    let reason = match (is_right, account.locked_at) {
        (false, _) => Refused::WrongPassword,
        (true, Some(_)) => Refused::Locked,
        (true, None) => {
            checked.counted.forget(&txn).await?;
            let known = (lifetimes, now);
            let begun = begin(&txn, &account, Method::Password, from, known).await?;
            txn.commit().await?;
            return Ok(begun);
        }
    };
    let cause = (reason, checked.counted.goes_on_record);
    refuse(txn, Some(&account), cause, from, now).await
}

/// Writes down that somebody was not let in, and says so. The account's owner sees each; not all go on record.
pub(in crate::auth) async fn refuse(
    txn: Txn,
    account: Option<&Account>,
    (reason, goes_on_record): (Refused, bool),
    from: &Origin,
    now: DateTime<Utc>,
) -> Result<Begun, Error> {
    let address = from.address.to_string();
    // Of names that nobody has too: nobody learns from the time that there is none.
    let id = account.map_or(AccountId(Uuid::nil()), |account| account.id);
    refusals::count(&txn, id, &address, now).await?;
    if goes_on_record {
        let event = Event::SignInRefused {
            account: account.map(|account| account.name.clone()),
            reason,
            address,
        };
        let subject = account.map_or(Subject::NOBODY, |account| Subject::Account(account.id.0));
        let actor = from.of(Actor::visitor(false));
        event.log(&txn, &actor, subject, now).await?;
    }
    txn.commit().await?;
    Err(match reason {
        Refused::UnknownName | Refused::WrongPassword | Refused::NotInDirectory => {
            Error::WrongNameOrPassword
        }
        Refused::Locked => Error::Locked,
        Refused::NoRole => Error::NoRole,
        Refused::GroupsLeftOut => Error::GroupsLeftOut,
    })
}

/// Changes one's own password. Every session ends, and a new one begins in this browser.
///
/// Refused when the session has ended, the account was locked or the password was changed since it was checked.
pub async fn change_password(
    db: &Db,
    passwords: &Passwords,
    signed_in: &SignedIn,
    (current, new): (&SecretString, &SecretString),
    (from, lifetimes): (&Origin, Lifetimes),
) -> Result<Begun, Error> {
    signed_in.actor.require(Permission::ManageOwnAccount)?;
    let account = &signed_in.account;
    let trying = Trying::known(&account.id.to_string());
    let counted = attempts::begin(db, trying, Utc::now()).await?;
    let hash = account.password_hash.clone();
    if !compare(db, passwords, (current, hash), &counted).await? {
        return refuse_to_change(db, signed_in, from).await;
    }
    // Whatever becomes of the new one, this was no guess.
    take_back(db, &counted).await?;
    let chosen = Password::choose(new, &about(account))?;
    let hash = passwords.hash(chosen).await?;
    let now = Utc::now();
    let txn = db.write().await?;
    require_as_it_was(&txn, signed_in).await?;
    counted.forget(&txn).await?;
    let account = set_password(&txn, &signed_in.actor, account, hash, now).await?;
    let method = signed_in.session.method;
    let begun = begin(&txn, &account, method, from, (lifetimes, now)).await?;
    txn.commit().await?;
    Ok(begun)
}

/// Writes down that somebody did not know the password of the account in which they are signed in.
async fn refuse_to_change(db: &Db, signed_in: &SignedIn, from: &Origin) -> Result<Begun, Error> {
    let account = &signed_in.account;
    let event = Event::CurrentPasswordWrong {
        account: account.name.clone(),
        address: from.address.to_string(),
    };
    let txn = db.write().await?;
    let (actor, subject) = (&signed_in.actor, Subject::Account(account.id.0));
    event.log(&txn, actor, subject, Utc::now()).await?;
    txn.commit().await?;
    Err(Error::WrongPassword)
}

/// Refuses unless the session goes on, and its account is open and has the password that it had.
async fn require_as_it_was(txn: &Txn, signed_in: &SignedIn) -> Result<(), Error> {
    let account = accounts::store::find(&**txn, signed_in.account.id).await?;
    if account.locked_at.is_some() {
        return Err(Error::Locked);
    }
    if account.password_hash != signed_in.account.password_hash {
        return Err(Error::WrongPassword);
    }
    if !store::is_there(&**txn, signed_in.session.id).await? {
        return Err(Error::UnknownSession);
    }
    Ok(())
}

/// Stores a password within a transaction: every session of the account and every link to choose one ends. Answers the
/// account as it is then.
pub(in crate::auth) async fn set_password(
    txn: &Txn,
    actor: &Actor,
    account: &Account,
    hash: String,
    now: DateTime<Utc>,
) -> Result<Account, Error> {
    accounts::store::set_password_hash(&**txn, account.id, hash.clone()).await?;
    store::end_all(&**txn, account.id).await?;
    links::store::delete_of(&**txn, account.id).await?;
    let event = Event::PasswordChosen {
        account: account.name.clone(),
    };
    event
        .log(txn, actor, Subject::Account(account.id.0), now)
        .await?;
    Ok(Account {
        password_hash: Some(hash),
        ..account.clone()
    })
}
