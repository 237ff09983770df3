//! Writing the index on disk, and building it anew.

use std::fmt;
use std::sync::Arc;

use tantivy::{IndexWriter, Term};

use super::built::{Built, commit};
use super::filesystem::Held;
use super::home;
use super::index::Index;
use super::{Document, Error};
use crate::db::Subject;

/// How large the documents may be that wait to be indexed, in bytes. tantivy takes ten thousand, however large.
const MOST_WAITING: usize = 24 << 20;

/// A change of one thing, as the index has to follow it.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its number in the change log.
    pub seq: i64,
    pub subject: Subject,
    /// The thing as it is now; `None` when it is no longer to be found.
    pub document: Option<Document>,
}

/// The one writer of an index. Nothing it does is found before it commits.
///
/// After an error nothing since the last commit has happened: go on from [`Index::written`].
pub struct Writer {
    index: Index,
    inner: Option<(Arc<Built>, IndexWriter)>,
    lock: Held,
    /// How large the documents are that were applied since the last commit.
    waiting: usize,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(index: Index, lock: Held) -> Self {
        Self {
            index,
            inner: None,
            lock,
            waiting: 0,
        }
    }

    /// Replaces the documents of these things; doing it twice is doing it once. Answers how many there were.
    pub fn apply(&mut self, batch: impl IntoIterator<Item = Change>) -> Result<usize, Error> {
        let mut size = 0;
        let count = self.attempt(|built, writer| {
            let mut count = 0;
            for change in batch {
                count += 1;
                let id = Term::from_field_bytes(built.fields.id, change.subject.id().as_bytes());
                writer.delete_term(id);
                if let Some(document) = change.document {
                    size += document.size();
                    writer.add_document(document.lay_out(&built.fields))?;
                }
            }
            Ok(count)
        })?;
        self.waiting += size;
        Ok(count)
    }

    /// Tells whether so much was applied that it has to be committed before there is more, for the sake of memory.
    pub(super) fn is_full(&self) -> bool {
        self.waiting >= MOST_WAITING
    }

    /// Makes findable what was applied, here at once and elsewhere at the next search, and notes the last change that
    /// it contains.
    pub fn commit(&mut self, seq: i64) -> Result<(), Error> {
        check(&self.lock).inspect_err(|_| self.inner = None)?;
        self.attempt(|_, writer| commit(writer, seq))?;
        self.waiting = 0;
        self.index.reload()
    }

    /// Waits until segments that are being merged are merged, for what is not finished would be begun again.
    pub fn settle(&mut self) -> Result<(), Error> {
        let Some((built, writer)) = self.inner.take() else {
            return Ok(());
        };
        if let Err(error) = writer.wait_merging_threads() {
            let error = error.into();
            built.note_unwritten(&error);
            return Err(error);
        }
        self.index.refresh()
    }

    /// Forgets every document, with the next commit.
    pub fn clear(&mut self) -> Result<(), Error> {
        self.attempt(|_, writer| {
            writer.delete_all_documents()?;
            Ok(())
        })
    }

    /// Starts building the index anew beside the present one, which goes on answering until [`Rebuild::finish`].
    ///
    /// What was applied but not committed is dropped. A lock that was removed is taken again, unless somebody else has.
    pub fn rebuild(&mut self) -> Result<Rebuild<'_>, Error> {
        self.inner = None;
        let home = self.index.home();
        home.make()?;
        if check(&self.lock).is_err() {
            self.lock = home.lock_writing()?;
        }
        let built = Built::create(home)?;
        let writer = built.write(self.index.options())?;
        Ok(Rebuild {
            index: &self.index,
            lock: &self.lock,
            parts: Some((built, writer)),
            waiting: 0,
        })
    }

    /// Does something with the writer of the index in use; after an error a new one is made next time.
    fn attempt<T>(
        &mut self,
        act: impl FnOnce(&Built, &mut IndexWriter) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let present = self.index.built();
        let done = self.attempt_on(&present, act);
        if let Err(error) = &done {
            present.note_unwritten(error);
        }
        done
    }

    fn attempt_on<T>(
        &mut self,
        present: &Arc<Built>,
        act: impl FnOnce(&Built, &mut IndexWriter) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if present.stamp().is_none() {
            self.inner = None;
            return Err(Error::Lost);
        }
        let (built, mut writer) = match self.inner.take() {
            Some(inner) if Arc::ptr_eq(&inner.0, present) => inner,
            _ => (Arc::clone(present), present.write(self.index.options())?),
        };
        let done = act(&built, &mut writer)?;
        self.inner = Some((built, writer));
        Ok(done)
    }
}

/// Refuses to go on when the file that keeps other writers away was removed, for there may be one by now.
fn check(lock: &Held) -> Result<(), Error> {
    lock.is_in_place().then_some(()).ok_or(Error::Busy)
}

/// An index being built beside the one that answers. Dropped unfinished, it leaves no trace.
pub struct Rebuild<'w> {
    index: &'w Index,
    lock: &'w Held,
    parts: Option<(Built, IndexWriter)>,
    /// How large the documents are that were added since the last commit.
    waiting: usize,
}

impl fmt::Debug for Rebuild<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rebuild")
            .field("index", self.index)
            .finish_non_exhaustive()
    }
}

impl Rebuild<'_> {
    /// Adds documents; each asset only once in all. Answers how many there were.
    pub fn add(&mut self, documents: impl IntoIterator<Item = Document>) -> Result<usize, Error> {
        let (built, writer) = self.parts.as_mut().ok_or(Error::Lost)?;
        let mut count = 0;
        for document in documents {
            count += 1;
            self.waiting += document.size();
            writer.add_document(document.lay_out(&built.fields))?;
        }
        if self.waiting >= MOST_WAITING {
            // Nobody reads it before it is finished.
            commit(writer, 0)?;
            self.waiting = 0;
        }
        Ok(count)
    }

    /// Puts the new index in the place of the old one; `seq` is the last change that it contains.
    pub fn finish(mut self, seq: i64) -> Result<(), Error> {
        let (built, mut writer) = self.parts.take().ok_or(Error::Lost)?;
        let home = self.index.home();
        let folder = built.folder.clone();
        let name = built.name.clone();
        let finished = commit(&mut writer, seq)
            .and_then(|()| Ok(writer.wait_merging_threads()?))
            .and_then(|()| {
                let _layout = home.lock_layout()?;
                check(self.lock)?;
                home.point_to(&name)
            })
            .and_then(|()| self.index.take_over(built));
        match finished {
            Ok(()) => {
                home.tidy(&name);
                Ok(())
            }
            Err(error) => {
                home::remove(&folder);
                Err(error)
            }
        }
    }
}

impl Drop for Rebuild<'_> {
    fn drop(&mut self) {
        if let Some((built, writer)) = self.parts.take() {
            drop(writer);
            home::remove(&built.folder);
        }
    }
}
