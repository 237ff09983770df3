//! Random secrets and what is kept of them: a digest, so that whoever reads the database cannot use them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

/// How many random bytes a secret has: nobody guesses 256 bits.
const LENGTH: usize = 32;

/// Makes a secret of letters, digits, `-` and `_` behind `prefix`.
pub(super) fn new(prefix: &str) -> SecretString {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)).into()
}

/// What is kept of a secret. A fast digest will do: there is nothing to guess.
pub(super) fn digest(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// Compares secrets by their digests, of which nothing can be learned by measuring time.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    digest(one) == digest(other)
}
