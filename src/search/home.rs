//! The folders of one layout of the index: one for each time that it was built, and a file that names the one in use.
//!
//! A new build is made beside the old one and takes its place by replacing that file. Everything else found here is in
//! the way or garbage, and goes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tantivy::Directory;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};

use super::files::Files;
use super::filesystem::{self, Held};
use super::{Error, schema};

/// Names the folder in use.
const CURRENT: &str = "current";

/// Held by the one process that writes.
const WRITER_LOCK: &str = "writer.lock";

/// Held while folders are laid out or exchanged.
const LAYOUT_LOCK: &str = "layout.lock";

/// How long to wait for somebody who lays out folders.
const PATIENCE: Duration = Duration::from_secs(10);

/// What reads and writes the files of a build.
pub(super) type Directories = Box<dyn Fn(Files) -> Box<dyn Directory> + Send + Sync>;

/// The folder of this layout.
pub(super) struct Home {
    pub(super) path: PathBuf,
    /// Trials put one here that ends as a killed process does.
    pub(super) directories: Directories,
}

impl Home {
    /// The folder of this layout below the index folder; makes it where it is missing.
    pub(super) fn below(dir: &Path) -> Result<Self, Error> {
        let home = Self {
            path: dir.join(schema::fingerprint()),
            directories: Box::new(|files| Box::new(files)),
        };
        home.make()?;
        Ok(home)
    }

    /// Makes the folder where it is missing. A file in its place goes.
    pub(super) fn make(&self) -> Result<(), Error> {
        for folder in [self.path.parent().unwrap_or(&self.path), &self.path] {
            if folder.is_file() {
                filesystem::remove(folder)?;
            }
            fs::create_dir_all(folder)?;
        }
        Ok(())
    }

    /// The name of the folder in use.
    pub(super) fn current(&self) -> Option<String> {
        let name = filesystem::read(&self.path.join(CURRENT)).ok()?;
        let name = std::str::from_utf8(&name).ok()?.trim();
        (!name.is_empty() && name.chars().all(|c| c.is_ascii_hexdigit())).then(|| name.to_owned())
    }

    /// Makes a folder the one in use, at once or not at all.
    pub(super) fn point_to(&self, name: &str) -> Result<(), Error> {
        filesystem::replace(&self.path.join(CURRENT), name.as_bytes())?;
        File::open(&self.path)?.sync_all()?;
        Ok(())
    }

    /// Becomes the one writer. [`Error::Busy`] when somebody else is.
    pub(super) fn lock_writing(&self) -> Result<Held, Error> {
        filesystem::acquire(&self.path.join(WRITER_LOCK), Duration::ZERO)?.ok_or(Error::Busy)
    }

    /// Waits until nobody else lays out or exchanges folders. [`Error::Busy`] when that takes too long.
    pub(super) fn lock_layout(&self) -> Result<Held, Error> {
        filesystem::acquire(&self.path.join(LAYOUT_LOCK), PATIENCE)?.ok_or(Error::Busy)
    }

    /// Removes what is no longer in use: other builds, and other layouts of the index.
    pub(super) fn tidy(&self, name: &str) {
        let mut unused = folders(&self.path);
        unused.retain(|path| path.file_name().is_some_and(|file| file != name));
        if let Some(dir) = self.path.parent() {
            let layouts = folders(dir).into_iter();
            unused.extend(layouts.filter(|path| *path != self.path && is_layout(path)));
        }
        for folder in &unused {
            remove(folder);
        }
    }
}

/// Removes the folder of a build.
pub(super) fn remove(folder: &Path) {
    if let Err(error) = filesystem::remove(folder) {
        tracing::warn!(%error, "could not remove an index that is not in use");
    }
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

/// Whether a folder is named like one of a layout: `v1-0123abcd`.
fn is_layout(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.strip_prefix('v')
        .and_then(|name| name.split_once('-'))
        .is_some_and(|(version, digest)| {
            !version.is_empty()
                && version.bytes().all(|byte| byte.is_ascii_digit())
                && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

impl From<OpenReadError> for Error {
    fn from(error: OpenReadError) -> Self {
        Self::Index(error.into())
    }
}

/// Whether an error says that files of the index are not as they were written.
pub(super) fn is_damage(error: &Error) -> bool {
    use tantivy::TantivyError as Index;
    if let Some(cause) = io_cause(error) {
        return filesystem::is_at_fault(cause);
    }
    match error {
        Error::Lost => true,
        Error::Index(error) => matches!(
            error,
            Index::OpenReadError(_)
                | Index::OpenDirectoryError(_)
                | Index::DataCorruption(_)
                | Index::IncompatibleIndex(_)
        ),
        Error::Folder(_) | Error::Busy | Error::Catalog(_) | Error::Log(_) => false,
    }
}

/// Whether an error passes by itself: somebody else is at it, or the system lacks something for now.
pub(super) fn is_passing(error: &Error) -> bool {
    let is_lack = |cause| !filesystem::is_at_fault(cause);
    matches!(error, Error::Busy) || io_cause(error).is_some_and(is_lack)
}

/// What the system said, if that is what an error is about.
fn io_cause(error: &Error) -> Option<&io::Error> {
    use tantivy::TantivyError as Index;
    match error {
        Error::Folder(cause) => Some(cause),
        Error::Index(
            Index::IoError(cause)
            | Index::OpenReadError(OpenReadError::IoError {
                io_error: cause, ..
            })
            | Index::OpenWriteError(OpenWriteError::IoError {
                io_error: cause, ..
            })
            | Index::OpenDirectoryError(OpenDirectoryError::IoError {
                io_error: cause, ..
            })
            | Index::LockFailure(LockError::IoError(cause), _),
        ) => Some(cause),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tantivy::TantivyError;

    use super::*;

    /// As Linux numbers them.
    const EIO: i32 = 5;
    const ENOMEM: i32 = 12;
    const EMFILE: i32 = 24;

    #[test]
    fn want_of_descriptors_or_memory_is_no_damage() {
        for number in [EIO, ENOMEM, EMFILE] {
            let lack = || io::Error::from_raw_os_error(number);
            let reading = OpenReadError::wrap_io_error(lack(), "meta.json".into());
            for error in [
                Error::Folder(lack()),
                Error::Index(TantivyError::from(lack())),
                Error::from(reading),
            ] {
                assert!(!is_damage(&error), "{error:?}");
                assert!(is_passing(&error), "{error:?}");
            }
        }
    }

    #[test]
    fn files_that_are_gone_cut_or_overwritten_are_damage() {
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::UnexpectedEof,
            ErrorKind::InvalidData,
        ] {
            let error = Error::Index(TantivyError::from(io::Error::from(kind)));
            assert!(is_damage(&error), "{error:?}");
            assert!(!is_passing(&error), "{error:?}");
        }
        let gone = Error::from(OpenReadError::FileDoesNotExist("meta.json".into()));
        assert!(is_damage(&gone));
        assert!(is_damage(&Error::Lost));
        assert!(!is_damage(&Error::Busy));
    }
}
