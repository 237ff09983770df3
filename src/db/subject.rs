//! Every kind of thing that a change can be about and that an aspect can refer to.

use uuid::Uuid;

/// One thing, by its kind and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    Account(Uuid),
    Asset(Uuid),
    /// Requests for a description, by the id of the asset.
    Request(Uuid),
    Run(Uuid),
    Scope(Uuid),
    /// Words that a search did not find.
    Search(Uuid),
    Team(Uuid),
    Token(Uuid),
}

impl Subject {
    /// A name that no account has. It is not kept: people type passwords there.
    pub const NOBODY: Self = Self::Account(Uuid::nil());

    /// The word in the database and in JSON.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Asset(_) => "asset",
            Self::Request(_) => "request",
            Self::Run(_) => "run",
            Self::Scope(_) => "scope",
            Self::Search(_) => "search",
            Self::Team(_) => "team",
            Self::Token(_) => "token",
        }
    }

    pub fn id(self) -> Uuid {
        match self {
            Self::Account(id)
            | Self::Asset(id)
            | Self::Request(id)
            | Self::Run(id)
            | Self::Scope(id)
            | Self::Search(id)
            | Self::Team(id)
            | Self::Token(id) => id,
        }
    }

    /// Reads one back from its columns; nothing for a kind that this version does not know.
    pub fn read(kind: &str, id: Uuid) -> Option<Self> {
        Some(match kind {
            "account" => Self::Account(id),
            "asset" => Self::Asset(id),
            "request" => Self::Request(id),
            "run" => Self::Run(id),
            "scope" => Self::Scope(id),
            "search" => Self::Search(id),
            "team" => Self::Team(id),
            "token" => Self::Token(id),
            _ => return None,
        })
    }

    /// Another thing of the same kind.
    pub fn sibling(self, id: Uuid) -> Self {
        Self::read(self.kind(), id).unwrap_or(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back() {
        let id = Uuid::now_v7();
        let every = [
            Subject::Account(id),
            Subject::Asset(id),
            Subject::Request(id),
            Subject::Run(id),
            Subject::Scope(id),
            Subject::Search(id),
            Subject::Team(id),
            Subject::Token(id),
        ];
        for subject in every {
            assert_eq!(Subject::read(subject.kind(), subject.id()), Some(subject));
            assert_eq!(subject.sibling(id), subject);
        }
        assert_eq!(Subject::read("term", id), None);
    }
}
