//! Why an LDAP server did not say who somebody is.

use ldap3::LdapError;

use crate::error::{Explain, Kind};

/// Why an LDAP server did not say who somebody is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Which of the two is not told to anybody. Holds who it is about for good, if the directory knows the name.
    #[error("There is no account with this name and this password.")]
    Wrong(Option<String>),
    #[error("The directory does not answer, so that names and passwords cannot be checked there.")]
    Unreachable(#[source] LdapError),
    #[error("The directory does not let this catalog search for people.")]
    Refused(#[source] LdapError),
    #[error("The directory does not have the place where this catalog searches.")]
    Nowhere(#[source] NoSuchPlace),
}

/// A place in the directory that is not there, or that the catalog may not see.
#[derive(Debug, thiserror::Error)]
#[error("{variable} is “{dn}”, and the directory has nothing there")]
pub struct NoSuchPlace {
    pub(super) variable: &'static str,
    pub(super) dn: String,
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::Wrong(_) => Kind::Unauthenticated,
            Self::Unreachable(_) | Self::Refused(_) | Self::Nowhere(_) => Kind::Unavailable,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Wrong(_) => "Check both, and that the capital letters are as they should be.",
            Self::Unreachable(_) => {
                "Try it again in a moment. An account with a password of its own can sign in meanwhile."
            }
            Self::Refused(_) => {
                "Ask whoever runs the catalog to check who it searches as. An account with a password of its own can sign in meanwhile."
            }
            Self::Nowhere(_) => {
                "Ask an admin to check GAZETTEER_LDAP_BASE_DN and GAZETTEER_LDAP_GROUP_BASE_DN. An account with a password of its own can sign in meanwhile."
            }
        })
    }
}
