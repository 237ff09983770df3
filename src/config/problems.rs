//! What is wrong with the settings, all of it at once.

use std::fmt;

use crate::error::{Explain, Kind};

/// Everything that is wrong with the settings, each a whole sentence that says what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Notes one more.
    pub fn note(&mut self, sentence: impl Into<String>) {
        self.0.push(sentence.into());
    }

    /// Takes what was read, or notes why it cannot be.
    pub fn take<T>(&mut self, read: Result<T, Self>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(more) => {
                self.0.extend(more.0);
                None
            }
        }
    }

    /// Hands out what was read, unless something is wrong.
    pub fn unless_any<T>(self, read: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(read)
        } else {
            Err(self)
        }
    }
}

impl From<String> for Problems {
    fn from(sentence: String) -> Self {
        Self(vec![sentence])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return f.write_str(only);
        }
        write!(f, "{} settings need a look.", self.0.len())?;
        for sentence in &self.0 {
            write!(f, "\n  {sentence}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Explain for Problems {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}
