//! Passwords: which ones will do, and how they are kept.
//!
//! The rules are those of NIST SP 800-63B-4 (section 3.1.1.2) for a password that stands alone: at least 15 characters,
//! none that is commonly used or expected, and nothing about which characters they have to be. Hashing takes tens of
//! milliseconds and 19 MiB by design, so it has a thread of its own: other requests do not wait for it.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::{Score, zxcvbn};

use crate::error::{Explain, Kind};

/// How many passwords of anybody may be in the queue at once; more wait before it.
const QUEUE: usize = 64;

/// How many more may be in the queue: of browsers that have signed in before, and of people who choose one.
const RESERVED: usize = 16;

/// How long somebody waits before the queue; then they are sent away.
const PATIENCE: Duration = Duration::from_secs(5);

/// A password that was judged and found good.
#[derive(Debug)]
pub struct Password(SecretString);

impl Password {
    /// The fewest characters of a password.
    pub const SHORTEST: usize = 15;

    /// The most characters of a password; a long sentence fits.
    pub const LONGEST: usize = 256;

    /// Judges a password that somebody wants to have. `about` is what others know of them, such as their name.
    pub fn choose(text: &SecretString, about: &[&str]) -> Result<Self, WeakPassword> {
        let password = normal(text).ok_or(WeakPassword::TooLong)?;
        let length = password.expose_secret().chars().count();
        if length < Self::SHORTEST {
            return Err(WeakPassword::TooShort);
        }
        if length > Self::LONGEST {
            return Err(WeakPassword::TooLong);
        }
        let known: Vec<&str> = about.iter().copied().chain(["gazetteer"]).collect();
        if zxcvbn(password.expose_secret(), &known).score() < Score::Three {
            return Err(WeakPassword::Common);
        }
        Ok(Self(password))
    }
}

/// More bytes are no password, however they are composed: it is not looked at, which would take time.
const MOST_BYTES: usize = 16 * Password::LONGEST;

/// The same password, however the keyboard composes its characters; nothing if it is far too long for one.
fn normal(text: &SecretString) -> Option<SecretString> {
    let text = Some(text.expose_secret()).filter(|text| text.len() <= MOST_BYTES)?;
    Some(text.nfkc().collect::<String>().into())
}

/// A password that will not do.
#[derive(Debug, thiserror::Error)]
pub enum WeakPassword {
    #[error("A password has at least {} characters.", Password::SHORTEST)]
    TooShort,
    #[error("A password has no more than {} characters.", Password::LONGEST)]
    TooLong,
    #[error("This password is among those that somebody would try first.")]
    Common,
}

impl Explain for WeakPassword {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooShort | Self::Common => {
                "Put several words together that have nothing to do with each other, or let a password manager make one."
            }
            Self::TooLong => "Choose a shorter one.",
        })
    }
}

/// Hashes passwords and checks them, one at a time, on a thread of its own that ends with the last clone.
#[derive(Debug, Clone)]
pub struct Passwords {
    jobs: mpsc::SyncSender<Job>,
    /// Places in the queue for anybody.
    places: Arc<Semaphore>,
}

enum Job {
    Hash(SecretString, oneshot::Sender<String>),
    Check(Check),
}

/// A password to be checked.
struct Check {
    password: SecretString,
    /// Without a hash there is nothing to match, but it takes as long.
    hash: Option<String>,
    answer: oneshot::Sender<bool>,
    /// Given back when it was checked.
    place: Option<OwnedSemaphorePermit>,
}

impl Passwords {
    pub fn start() -> Self {
        let (jobs, queue) = mpsc::sync_channel(QUEUE + RESERVED);
        thread::Builder::new()
            .name("passwords".to_owned())
            .spawn(move || work_off(&queue))
            .expect("the system has threads");
        let places = Arc::new(Semaphore::new(QUEUE));
        Self { jobs, places }
    }

    /// Hashes a password with argon2id and a salt of its own.
    pub(super) async fn hash(&self, password: Password) -> Result<String, Crowded> {
        let (answer, hashed) = oneshot::channel();
        self.send(Job::Hash(password.0, answer))?;
        hashed.await.map_err(|_gone| Crowded)
    }

    /// Tells whether a password is the one that was hashed; false, after as long a time, when there is none.
    ///
    /// A browser that has signed in before does not wait behind all the others.
    pub(super) async fn check(
        &self,
        password: &SecretString,
        hash: Option<String>,
        is_known: bool,
    ) -> Result<bool, Crowded> {
        let place = if is_known {
            None
        } else {
            let place = timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
            Some(place.map_err(|_late| Crowded)?.map_err(|_gone| Crowded)?)
        };
        let (answer, checked) = oneshot::channel();
        // What cannot be a password costs as much as a wrong one.
        let (password, hash) = match normal(password) {
            Some(password) => (password, hash),
            None => (SecretString::default(), None),
        };
        self.send(Job::Check(Check {
            password,
            hash,
            answer,
            place,
        }))?;
        checked.await.map_err(|_gone| Crowded)
    }

    fn send(&self, job: Job) -> Result<(), Crowded> {
        self.jobs.try_send(job).map_err(|_full| Crowded)
    }
}

fn work_off(queue: &mpsc::Receiver<Job>) {
    // What is compared when there is no such account, so that nobody learns from the time that there is none.
    let nobody = hash(&super::secret::new(""));
    while let Ok(job) = queue.recv() {
        // Whoever asked may have gone: then nobody wants the answer.
        match job {
            Job::Hash(password, answer) => drop(answer.send(hash(&password))),
            Job::Check(check) => {
                let has_one = check.hash.is_some();
                let hash = check.hash.as_ref().unwrap_or(&nobody);
                let matches = PasswordHash::new(hash).is_ok_and(|hash| {
                    let password = check.password.expose_secret().as_bytes();
                    Argon2::default().verify_password(password, &hash).is_ok()
                });
                drop(check.place);
                check.answer.send(matches && has_one).unwrap_or(());
            }
        }
    }
}

fn hash(password: &SecretString) -> String {
    let hashed: PasswordHash = Argon2::default()
        .hash_password(password.expose_secret().as_bytes())
        .expect("argon2's own settings are right");
    hashed.to_string()
}

/// Too many passwords are waiting to be checked.
#[derive(Debug, thiserror::Error)]
#[error("Too many people are signing in at this moment.")]
pub struct Crowded;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_commonness_decide_and_nothing_else() {
        let choose = |text: &str| Password::choose(&text.into(), &["ana.lopez"]);
        for good in [
            "correct horse battery staple",
            "tulpen und zwei kaputte lampen",
            "ニャーと鳴く猫が十五匹も庭にいる",
        ] {
            assert!(choose(good).is_ok(), "{good}");
        }
        for common in [
            "passwordpassword",
            "aaaaaaaaaaaaaaaaaa",
            "123456789012345678",
            "ana.lopezana.lopez",
            "qwertyuiopasdfghjkl",
        ] {
            assert!(
                matches!(choose(common), Err(WeakPassword::Common)),
                "{common}"
            );
        }
        assert!(matches!(choose("x7#kQ9!vB2"), Err(WeakPassword::TooShort)));
        assert!(matches!(
            choose(&"a b".repeat(200)),
            Err(WeakPassword::TooLong)
        ));
    }

    #[tokio::test]
    async fn a_password_is_checked_against_its_own_hash_only() {
        let passwords = Passwords::start();
        let text: SecretString = "correct horse battery staple".into();
        let hash = passwords
            .hash(Password::choose(&text, &[]).unwrap())
            .await
            .unwrap();

        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(
            passwords
                .check(&text, Some(hash.clone()), false)
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .check(&"wrong".into(), Some(hash), true)
                .await
                .unwrap()
        );
        assert!(!passwords.check(&text, None, false).await.unwrap());
    }
}
