//! The export: a file of lines, of which the first says what it is and every other is a sealed frame.
//!
//! **Form.** A frame is JSON, compressed (zstd), sealed with AES-256-GCM under a key that follows from
//! the export's key, the export's id and the number of the line, in base64. So lines cannot be changed,
//! left out, exchanged, or taken from another export; and a file without its last frame is no
//! export. Each frame says where the export goes on after it: a file that was torn by a crash loses
//! its torn line and is continued.
//!
//! What frames say is in [`super::frame`], what seals them in [`super::key`].

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    ExportKey, MigrateError,
    frame::{Frame, Part},
};
use crate::vault::envelope;

/// The version of the form.
const VERSION: u32 = 1;
/// No line is longer; a frame has some megabytes at the most.
const LINE_MAX: u64 = 256 * 1024 * 1024;
/// No frame is, once it is opened.
const FRAME_MAX: usize = 256 * 1024 * 1024;
/// How hard zstd tries: records are small JSON of few shapes, and shrink to a tenth.
const LEVEL: i32 = 3;

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    lombard_export: u32,
    id: String,
}

pub(super) fn failed(path: &Path, error: io::Error) -> MigrateError {
    MigrateError::File(path.display().to_string(), error)
}

fn bound(id: &str, line: u64) -> Vec<u8> {
    format!("lombard export {id} line {line}").into_bytes()
}

/// Writes an export.
pub struct Writer {
    file: File,
    path: PathBuf,
    /// The export's id.
    pub id: String,
    line: u64,
}

impl Writer {
    /// Begins an export, or continues the one that is in the file. Gives its first and its last
    /// frame, if it has any.
    ///
    /// # Errors
    /// [`MigrateError::NotGenuine`] when the file is not of this key, and those of files.
    pub fn open(
        path: &Path,
        key: &ExportKey,
        id: impl FnOnce() -> String,
    ) -> Result<(Self, Option<(Frame, Frame)>), MigrateError> {
        match Reader::open(path) {
            Ok(reader) => Self::resume(path, key, reader),
            Err(MigrateError::File(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                Ok((Self::begin(path, id())?, None))
            }
            Err(error) => Err(error),
        }
    }

    fn begin(path: &Path, id: String) -> Result<Self, MigrateError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(path).map_err(|error| failed(path, error))?;
        let mut writer = Self {
            file,
            path: path.to_owned(),
            line: 0,
            id,
        };
        let title = Title {
            lombard_export: VERSION,
            id: writer.id.clone(),
        };
        writer.put(&serde_json::to_string(&title).unwrap_or_default())?;
        Ok(writer)
    }

    fn resume(
        path: &Path,
        key: &ExportKey,
        mut reader: Reader,
    ) -> Result<(Self, Option<(Frame, Frame)>), MigrateError> {
        let (mut first, mut last) = (None, None);
        let mut whole = reader.at;
        while let Some(frame) = reader.next(key)? {
            match first {
                None => first = Some(frame),
                Some(_) => last = Some(frame),
            }
            whole = reader.at;
        }
        let options = OpenOptions::new().read(true).write(true).open(path);
        let mut file = options.map_err(|error| failed(path, error))?;
        let cut = file
            .set_len(whole)
            .and_then(|()| file.seek(SeekFrom::End(0)));
        cut.map_err(|error| failed(path, error))?;
        let writer = Self {
            file,
            path: path.to_owned(),
            id: reader.id,
            line: reader.line,
        };
        let found = match (first, last) {
            (Some(first), Some(last)) => Some((first, last)),
            // The first is the last; it is read again rather than copied.
            (Some(first), None) => {
                let then = first.then.clone();
                let part = Part::End;
                Some((first, Frame { part, then }))
            }
            (None, _) => None,
        };
        Ok((writer, found))
    }

    fn put(&mut self, line: &str) -> Result<(), MigrateError> {
        let written = { self.file.write_all(line.as_bytes()) }
            .and_then(|()| self.file.write_all(b"\n"))
            .and_then(|()| self.file.sync_data());
        written.map_err(|error| failed(&self.path, error))?;
        self.line += 1;
        Ok(())
    }

    /// Adds a frame, durably.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, frame: &Frame, key: &ExportKey) -> Result<(), MigrateError> {
        let sealed = seal(frame, key, &bound(&self.id, self.line));
        let sealed = sealed.map_err(|error| failed(&self.path, error))?;
        self.put(&sealed)
    }
}

fn seal(frame: &Frame, key: &ExportKey, bound: &[u8]) -> io::Result<String> {
    let text = Zeroizing::new(serde_json::to_vec(frame)?);
    let packed = Zeroizing::new(zstd::bulk::compress(&text, LEVEL)?);
    envelope::seal(key.bytes(), bound, &packed, &SystemRandom::new())
        .map_err(|_| io::Error::other("the operating system gives no randomness"))
}

/// Reads an export.
pub struct Reader {
    lines: BufReader<File>,
    path: PathBuf,
    /// The export's id.
    pub id: String,
    line: u64,
    at: u64,
}

impl Reader {
    /// Opens an export.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn open(path: &Path) -> Result<Self, MigrateError> {
        let file = File::open(path).map_err(|error| failed(path, error))?;
        let mut reader = Self {
            lines: BufReader::new(file),
            path: path.to_owned(),
            id: String::new(),
            line: 0,
            at: 0,
        };
        let title = reader.take()?.unwrap_or_default();
        let title: Option<Title> = serde_json::from_str(&title).ok();
        match title.filter(|title| title.lombard_export == VERSION) {
            Some(title) => reader.id = title.id,
            None => {
                let error = io::Error::other("it is no export of this version");
                return Err(failed(path, error));
            }
        }
        Ok(reader)
    }

    /// The next line; none at the end, and none of a line that was torn.
    fn take(&mut self) -> Result<Option<String>, MigrateError> {
        let mut line = String::new();
        let mut lines = (&mut self.lines).take(LINE_MAX);
        let read = lines.read_line(&mut line);
        read.map_err(|error| failed(&self.path, error))?;
        if line.pop() != Some('\n') {
            return Ok(None);
        }
        self.at += line.len() as u64 + 1;
        self.line += 1;
        Ok(Some(line))
    }

    /// The next frame; none at the end of what is whole.
    ///
    /// # Errors
    /// [`MigrateError::NotGenuine`].
    pub fn next(&mut self, key: &ExportKey) -> Result<Option<Frame>, MigrateError> {
        let number = self.line;
        let Some(line) = self.take()? else {
            return Ok(None);
        };
        let not_genuine = || MigrateError::NotGenuine(number + 1);
        let packed = envelope::open(key.bytes(), &bound(&self.id, number), &line);
        let packed = packed.map_err(|_| not_genuine())?;
        let text = zstd::bulk::decompress(&packed, FRAME_MAX).map_err(|_| not_genuine())?;
        let text = Zeroizing::new(text);
        let frame = serde_json::from_slice(&text).map_err(|_| not_genuine())?;
        Ok(Some(frame))
    }

    /// The number of the frame that was read last, from 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.line - 1
    }
}
