//! Reading, replacing, locking and removing single files, whatever lies in their place: folders, pipes, huge files.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How much of a file that names others is read; none is longer.
const LONGEST: u64 = 64 << 20;

/// How often one looks whether a lock is free.
const GLANCE: Duration = Duration::from_millis(2);

/// Opens a file for reading, if it is one: opening a pipe would wait for ever.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "something else lies in the place of a file",
        ))
    }
}

/// Reads a small file.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.take(LONGEST).read_to_end(&mut content)?;
    Ok(content)
}

/// Writes a file, at once or not at all.
///
/// It is written under another name first, always the same one, so that a kill leaves one file at most.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    let draft = Path::new(&draft);
    make_way(draft)?;
    make_way(path)?;
    let mut file = File::create(draft)?;
    file.write_all(content)?;
    file.sync_data()?;
    fs::rename(draft, path)
}

/// Removes what lies in the place of a file and is none.
fn make_way(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => remove(path),
        _ => Ok(()),
    }
}

/// A file that nobody else holds until this is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct Held {
    file: File,
    path: PathBuf,
}

impl Held {
    /// Whether the file still lies in its place. Where it does not, somebody else can hold the one that does.
    pub(super) fn is_in_place(&self) -> bool {
        let which = |file: fs::Metadata| (file.dev(), file.ino());
        let held = self.file.metadata().map(which);
        let found = fs::metadata(&self.path).map(which);
        matches!((held, found), (Ok(held), Ok(found)) if held == found)
    }
}

/// Holds a file; `None` when somebody else holds it for longer than one waits.
///
/// Nobody waits for ever, for who holds it may be paused.
///
/// What lies there and is no file is removed, for nobody can hold it; rights do not change who holds a file.
pub(super) fn acquire(path: &Path, patience: Duration) -> io::Result<Option<Held>> {
    let deadline = Instant::now() + patience;
    loop {
        let held = Held {
            file: open_lock(path)?,
            path: path.to_owned(),
        };
        match held.file.try_lock() {
            Ok(()) if held.is_in_place() => return Ok(Some(held)),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) | Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Ok(None);
            }
            Ok(()) | Err(TryLockError::WouldBlock) => thread::park_timeout(GLANCE),
        }
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    let open = || {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
    };
    make_way(path)?;
    open().or_else(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            fs::set_permissions(path, Permissions::from_mode(0o600)).and_then(|()| open())
        }
        _ => Err(error),
    })
}

/// Whether an error says that a file is gone, cut, something else or closed to us. Others pass by themselves: the system
/// has no descriptor, no memory or no answer from its disk for now.
pub(super) fn is_at_fault(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    let by_kind = matches!(
        error.kind(),
        Kind::NotFound
            | Kind::UnexpectedEof
            | Kind::InvalidData
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::PermissionDenied
    );
    // What the system does not say is said by who reads the content.
    by_kind || (error.raw_os_error().is_none() && error.kind() != Kind::OutOfMemory)
}

/// Removes a file, or a folder with all that is in it; nothing there is fine.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_a_lock_whatever_lies_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("foreign"), "").unwrap();

        let held = acquire(&path, Duration::ZERO).unwrap();
        assert!(held.is_some());
        fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
        assert!(acquire(&path, Duration::ZERO).unwrap().is_none());
        drop(held);
        assert!(acquire(&path, Duration::from_secs(9)).unwrap().is_some());
    }

    #[test]
    fn a_lock_that_was_removed_is_noticed_by_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = acquire(&path, Duration::ZERO).unwrap().unwrap();
        assert!(first.is_in_place());

        fs::remove_file(&path).unwrap();
        assert!(!first.is_in_place());
        let second = acquire(&path, Duration::ZERO).unwrap().unwrap();

        assert!(second.is_in_place());
        assert!(!first.is_in_place());
    }
}
