//! The files of one build of the index, read by position.
//!
//! Kept here: how others may change, cut or remove these files without ending this process. Deliberately absent: memory
//! maps, for a mapped file that shrinks ends every process that reads it. Each block is compared with what was there when
//! the file was opened, so what was overwritten is an error too, never a wrong answer.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite,
    WatchCallback, WatchHandle, WritePtr,
};

use super::filesystem;

/// How much is read and compared at once.
const BLOCK: usize = 4_096;

/// How much of a file is kept after a read, in bytes. A scan of postings reads a few bytes at a time.
const KEPT: usize = 2 * BLOCK;

/// How much is read at once when a file is opened; a multiple of [`BLOCK`].
const STRETCH: usize = 64 * BLOCK;

/// How long to wait for somebody who reads or removes files.
const PATIENCE: Duration = Duration::from_secs(1);

/// The files of one folder. Clones are handles of the same folder.
#[derive(Clone)]
pub(super) struct Files {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    opened: Mutex<HashMap<PathBuf, Weak<OpenFile>>>,
    /// Whether the system refused to write for a reason that building anew does not mend.
    refused: AtomicBool,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Files").field(&self.shared.folder).finish()
    }
}

impl Files {
    /// The files of a folder, none of which is opened yet.
    pub(super) fn of(folder: &Path) -> Self {
        Self {
            shared: Arc::new(Shared {
                folder: folder.to_owned(),
                opened: Mutex::default(),
                refused: AtomicBool::new(false),
            }),
        }
    }

    /// Whether files could not be opened or written since the last time, for want of room, rights or descriptors.
    pub(super) fn take_refusal(&self) -> bool {
        self.shared.refused.swap(false, Ordering::Relaxed)
    }

    /// Whether a file, if it is open, is still in its folder with the content that it was opened with.
    pub(super) fn is_unchanged(&self, path: &Path) -> io::Result<bool> {
        let open = self.open().get(path).and_then(Weak::upgrade);
        let full = self.shared.folder.join(path);
        open.map_or(Ok(true), |open| open.is_unchanged(&full))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<PathBuf, Weak<OpenFile>>> {
        let open = self.shared.opened.lock();
        open.unwrap_or_else(PoisonError::into_inner)
    }

    fn noting<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done
            && (!filesystem::is_at_fault(error) || error.kind() == io::ErrorKind::PermissionDenied)
        {
            self.shared.refused.store(true, Ordering::Relaxed);
        }
        done
    }
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        if let Some(open) = self.open().get(path).and_then(Weak::upgrade) {
            return Ok(open);
        }
        let opened = self.noting(OpenFile::open(&self.shared.folder.join(path)));
        let opened = Arc::new(opened.map_err(|error| unread(error, path))?);
        let mut open = self.open();
        open.retain(|_, open| open.strong_count() > 0);
        open.insert(path.to_owned(), Arc::downgrade(&opened));
        Ok(opened)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.open().remove(path);
        fs::remove_file(self.shared.folder.join(path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DeleteError::FileDoesNotExist(path.to_owned()),
            _ => DeleteError::IoError {
                io_error: Arc::new(error),
                filepath: path.to_owned(),
            },
        })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        let exists = self.shared.folder.join(path).try_exists();
        exists.map_err(|error| unread(error, path))
    }

    /// Opens a new file. One that has its name already belongs to a commit that was killed, and goes.
    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let full = self.shared.folder.join(path);
        self.open().remove(path);
        let create = || OpenOptions::new().write(true).create_new(true).open(&full);
        let created = create().or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => filesystem::remove(&full).and_then(|()| create()),
            _ => Err(error),
        });
        let file = self
            .noting(created)
            .map_err(|error| OpenWriteError::wrap_io_error(error, path.to_owned()))?;
        let files = self.clone();
        Ok(BufWriter::new(Box::new(NewFile { file, files })))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        filesystem::read(&self.shared.folder.join(path)).map_err(|error| unread(error, path))
    }

    fn atomic_write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.noting(filesystem::replace(&self.shared.folder.join(path), content))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.noting(File::open(&self.shared.folder).and_then(|folder| folder.sync_all()))
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        let path = self.shared.folder.join(&lock.filepath);
        let patience = if lock.is_blocking {
            PATIENCE
        } else {
            Duration::ZERO
        };
        let held = self.noting(filesystem::acquire(&path, patience));
        match held.map_err(LockError::wrap_io_error)? {
            Some(held) => Ok(DirectoryLock::from(Box::new(held))),
            None => Err(LockError::LockBusy),
        }
    }

    /// Does nothing: each search looks for new commits by itself.
    fn watch(&self, _callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

fn unread(error: io::Error, path: &Path) -> OpenReadError {
    match error.kind() {
        io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(path.to_owned()),
        _ => OpenReadError::wrap_io_error(error, path.to_owned()),
    }
}

/// A file that is being written, durable once it is terminated.
struct NewFile {
    file: File,
    files: Files,
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.files.noting(self.file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for NewFile {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.files.noting(self.file.sync_data())
    }
}

/// Which file it is and when it was written, as the file system tells.
type Stamp = (u64, u64, i64, i64);

/// A file as it was when it was opened.
struct OpenFile {
    file: File,
    length: usize,
    /// A checksum of each block.
    sums: Vec<u32>,
    stamp: Mutex<Stamp>,
    /// Where what was read last begins, and what it is.
    last: Mutex<(usize, OwnedBytes)>,
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl OpenFile {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = filesystem::open(path)?;
        let stamp = stamp(&file.metadata()?);
        let mut sums = Vec::new();
        let mut length = 0;
        let mut stretch = Vec::with_capacity(STRETCH);
        loop {
            stretch.clear();
            let read = (&mut file).take(STRETCH as u64).read_to_end(&mut stretch)?;
            length += read;
            sums.extend(stretch.chunks(BLOCK).map(crc32fast::hash));
            if read < STRETCH {
                break;
            }
        }
        Ok(Self {
            file,
            length,
            sums,
            stamp: Mutex::new(stamp),
            last: Mutex::new((0, OwnedBytes::empty())),
        })
    }

    /// What was read last, if it contains this. Nobody waits for it.
    fn kept(&self, range: &Range<usize>) -> Option<OwnedBytes> {
        let last = self.last.try_lock().ok()?;
        let (from, bytes) = &*last;
        let start = range.start.checked_sub(*from)?;
        let end = range.end - from;
        (end <= bytes.len()).then(|| bytes.slice(start..end))
    }

    fn is_unchanged(&self, path: &Path) -> io::Result<bool> {
        let found = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            found => found?,
        };
        let mut known = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let found = stamp(&found);
        if found == *known {
            return Ok(true);
        }
        // Touched or copied: then the content decides.
        let now = Self::open(path)?;
        let is_same = now.sums == self.sums && now.length == self.length;
        if is_same {
            *known = found;
        }
        Ok(is_same)
    }

    fn check(&self, first: usize, bytes: &[u8]) -> io::Result<()> {
        let sums = self.sums.iter().skip(first);
        let same = bytes
            .chunks(BLOCK)
            .zip(sums)
            .all(|(block, sum)| crc32fast::hash(block) == *sum);
        if same {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a file of the search index was overwritten",
            ))
        }
    }
}

impl HasLen for OpenFile {
    fn len(&self) -> usize {
        self.length
    }
}

impl FileHandle for OpenFile {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.is_empty() {
            return Ok(OwnedBytes::empty());
        }
        if range.end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(bytes) = self.kept(&range) {
            return Ok(bytes);
        }
        let first = range.start / BLOCK;
        let from = first * BLOCK;
        let to = range.end.next_multiple_of(BLOCK).min(self.length);
        let mut bytes = vec![0; to - from];
        self.file.read_exact_at(&mut bytes, from as u64)?;
        self.check(first, &bytes)?;
        let bytes = OwnedBytes::new(bytes);
        if bytes.len() <= KEPT
            && let Ok(mut last) = self.last.try_lock()
        {
            *last = (from, bytes.clone());
        }
        Ok(bytes.slice(range.start - from..range.end - from))
    }
}

fn stamp(file: &fs::Metadata) -> Stamp {
    (file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(content: &[u8]) -> (tempfile::TempDir, Arc<dyn FileHandle>, Files) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), content).unwrap();
        let files = Files::of(dir.path());
        let open = files.get_file_handle(Path::new("file")).unwrap();
        (dir, open, files)
    }

    #[test]
    fn any_range_is_read_as_it_is() {
        let content: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        let (_dir, open, _) = open(&content);

        for range in [
            0..0,
            0..1,
            4_095..4_097,
            5_000..10_000,
            9_999..10_000,
            0..10_000,
        ] {
            assert_eq!(
                open.read_bytes(range.clone()).unwrap().as_slice(),
                &content[range]
            );
        }
        assert!(open.read_bytes(0..10_001).is_err());
    }

    #[test]
    fn a_file_that_was_cut_or_overwritten_is_an_error_and_a_removed_one_still_answers() {
        let content = vec![7; 10_000];
        let (dir, open, files) = open(&content);
        let path = dir.path().join("file");
        assert!(files.is_unchanged(Path::new("file")).unwrap());

        fs::write(&path, vec![7; 5_000]).unwrap();
        assert!(open.read_bytes(6_000..7_000).is_err());
        assert!(!files.is_unchanged(Path::new("file")).unwrap());

        fs::write(&path, vec![8; 10_000]).unwrap();
        assert!(open.read_bytes(6_000..7_000).is_err());
        assert!(!files.is_unchanged(Path::new("file")).unwrap());

        fs::write(&path, &content).unwrap();
        assert!(files.is_unchanged(Path::new("file")).unwrap());

        fs::remove_file(&path).unwrap();
        assert!(open.read_bytes(6_000..7_000).is_ok());
        assert!(!files.is_unchanged(Path::new("file")).unwrap());
    }

    #[test]
    fn what_a_killed_commit_left_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.5.del"), "half").unwrap();
        fs::create_dir(dir.path().join("b.5.del")).unwrap();
        let files = Files::of(dir.path());

        for name in ["a.5.del", "b.5.del"] {
            let mut writing = files.open_write(Path::new(name)).unwrap();
            writing.write_all(b"whole").unwrap();
            writing.terminate().unwrap();
            assert_eq!(fs::read(dir.path().join(name)).unwrap(), b"whole");
        }
    }
}
