//! A folder that nothing leads out of: files are opened by where they lie below it, and a link only where it ends
//! inside.

use std::fs::{File, FileType, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The folder.
#[derive(Clone, Debug)]
pub struct Root {
    /// Without links in it.
    path: PathBuf,
}

/// Why something below it is not opened.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A link that ends elsewhere.
    #[error("is a link out of the folder that is imported")]
    Outside,
    /// A link to nothing.
    #[error("is a link to nothing")]
    Broken,
    /// A pipe, a device, a folder.
    #[error("is no plain file")]
    NoFile,
    /// None of ours.
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    /// The system says why.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

/// An entry of a folder.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name; what is no UTF-8 in it is replaced.
    pub name: String,
    /// What it is, itself and not what it links to.
    pub kind: FileType,
}

impl Root {
    /// The folder at a path.
    ///
    /// # Errors
    /// There is none.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let path = path.canonicalize()?;
        if !path.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok(Self { path })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What lies in a folder, by name.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn entries(folder: &Path) -> std::io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), kind: entry.file_type()? });
        }
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// Where a path leads; none where nothing is there.
    fn led(&self, path: &Path) -> Result<Option<PathBuf>, Refused> {
        let found = match path.symlink_metadata() {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            found => found?,
        };
        if !found.is_symlink() {
            return Ok(Some(path.to_owned()));
        }
        let target = match path.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(Refused::Broken),
            target => target?,
        };
        if target.starts_with(&self.path) { Ok(Some(target)) } else { Err(Refused::Outside) }
    }

    /// A folder below; none where there is none of that name.
    ///
    /// # Errors
    /// It leads elsewhere.
    pub fn folder(&self, path: &Path) -> Result<Option<PathBuf>, Refused> {
        Ok(self.led(path)?.filter(|path| path.is_dir()))
    }

    /// A plain file in a folder below; none where there is none of that name.
    ///
    /// # Errors
    /// It leads elsewhere, is no plain file or cannot be opened.
    pub fn file(&self, path: &Path) -> Result<Option<File>, Refused> {
        let Some(path) = self.led(path)? else { return Ok(None) };
        // Neither a link that came meanwhile is followed nor a pipe waited for.
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
        if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(Refused::NoFile) }
    }

    /// The bytes of a small file.
    ///
    /// # Errors
    /// As [`Root::file`], and where it has more bytes than `most`.
    pub fn bytes(&self, path: &Path, most: u64) -> Result<Option<Vec<u8>>, Refused> {
        let Some(file) = self.file(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most { Err(Refused::TooLarge(most)) } else { Ok(Some(bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_followed_inside_and_nowhere_else() {
        let (inside, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let at = |name: &str| inside.path().join(name);
        std::fs::write(outside.path().join("secret"), "x").expect("is written");
        std::fs::write(at("own"), "own").expect("is written");
        std::fs::create_dir(at("folder")).expect("is made");
        symlink(outside.path().join("secret"), at("out")).expect("is linked");
        symlink("../../../../../etc/passwd", at("up")).expect("is linked");
        symlink(outside.path(), at("folder out")).expect("is linked");
        symlink("own", at("in")).expect("is linked");
        symlink("nothing", at("broken")).expect("is linked");
        let root = Root::open(inside.path()).expect("a folder");
        assert_eq!(root.bytes(&at("in"), 9).expect("is read"), Some(b"own".to_vec()));
        assert_eq!(root.bytes(&at("none"), 9).expect("is not there"), None);
        assert!(matches!(root.bytes(&at("own"), 2), Err(Refused::TooLarge(2))));
        assert!(matches!(root.file(&at("out")), Err(Refused::Outside)));
        assert!(matches!(root.file(&at("up")), Err(Refused::Outside)));
        assert!(matches!(root.folder(&at("folder out")), Err(Refused::Outside)));
        assert!(matches!(root.file(&at("broken")), Err(Refused::Broken)));
        assert!(matches!(root.file(&at("folder")), Err(Refused::NoFile)));
    }
}
