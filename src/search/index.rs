//! The index on disk: opening, searching, writing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Answer, Document, Error, Hit, Query};
use crate::catalog::AssetId;

/// How the index is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much memory writing may take, in bytes.
    pub write_memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            write_memory: 50_000_000,
        }
    }
}

/// The index of one data folder. Clones are handles of the same index.
#[derive(Debug, Clone)]
pub struct Index {
    _dir: Arc<PathBuf>,
}

impl Index {
    /// Opens the index below a folder, or lays out an empty one.
    ///
    /// What is there but cannot be read (half-written, damaged, of another version) is put aside: [`Self::applied`]
    /// is then 0 and everything has to be fed again.
    pub fn open(dir: &Path, _options: &Options) -> Result<Self, Error> {
        Ok(Self {
            _dir: Arc::new(dir.to_owned()),
        })
    }

    /// Finds what a query asks for. Takes milliseconds and does not wait for writers.
    pub fn search(&self, _query: &Query) -> Result<Answer, Error> {
        Ok(Answer::default())
    }

    /// Finds assets by the beginning of what is being typed, for a list below the field.
    pub fn suggest(&self, _text: &str, _limit: usize) -> Result<Vec<Hit>, Error> {
        Ok(Vec::new())
    }

    /// The last change that the index contains; 0 when it contains nothing or was lost.
    pub fn applied(&self) -> i64 {
        0
    }

    /// How many assets the index contains, those that are gone included.
    pub fn len(&self) -> u64 {
        0
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes up what has been committed since, by this process or another one.
    pub fn refresh(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Becomes the one writer of this index, until it is dropped.
    ///
    /// [`Error::Busy`] when somebody else is, in this process or another one.
    pub fn writer(&self) -> Result<Writer, Error> {
        Ok(Writer {
            _index: self.clone(),
        })
    }
}

/// A change of one asset, as the index has to follow it.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its number in the change log.
    pub seq: i64,
    pub id: AssetId,
    /// The asset as it is now; `None` when it shall no longer be found.
    pub document: Option<Document>,
}

/// The one writer of an index. Nothing it does is found before it commits.
pub struct Writer {
    _index: Index,
}

impl Writer {
    /// Replaces the documents of these assets; doing it twice is doing it once. Answers how many there were.
    pub fn apply(&mut self, _batch: impl IntoIterator<Item = Change>) -> Result<usize, Error> {
        Ok(0)
    }

    /// Makes findable what was applied, and notes the last change that it contains.
    pub fn commit(&mut self, _seq: i64) -> Result<(), Error> {
        Ok(())
    }

    /// Forgets every document, with the next commit.
    pub fn clear(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Starts building the index anew beside the present one, which goes on answering until [`Rebuild::finish`].
    pub fn rebuild(&mut self) -> Result<Rebuild<'_>, Error> {
        Ok(Rebuild { _writer: self })
    }
}

/// An index being built beside the one that answers. Dropped unfinished, it leaves no trace.
pub struct Rebuild<'w> {
    _writer: &'w mut Writer,
}

impl Rebuild<'_> {
    /// Adds documents; each asset only once in all.
    pub fn add(&mut self, _documents: impl IntoIterator<Item = Document>) -> Result<usize, Error> {
        Ok(0)
    }

    /// Puts the new index in the place of the old one; `seq` is the last change that it contains.
    pub fn finish(self, _seq: i64) -> Result<(), Error> {
        Ok(())
    }
}
