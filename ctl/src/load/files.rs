//! Input files: plain or gzipped, with a count of the bytes taken and a bound on the length of a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use thiserror::Error;

use super::source::{BytesRead, Total};

/// Longest line; a longer one is a bad row. A post has at most a few hundred kilobytes.
const MAX_LINE: usize = 1 << 20;

/// An input that cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The system says no.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Readable, but not what the format promises.
    #[error("{} is no {format} file: {why}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// What is missing.
        why: String,
    },
}

/// An opened file and how much of it there is.
pub(crate) struct Input {
    pub(crate) reader: Box<dyn BufRead + Send>,
    pub(crate) total: Total,
}

/// Opens a file, unpacking it if it is gzipped whatever its name; `-` is the standard input.
pub(crate) fn open(path: &Path) -> Result<Input, OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    if path == Path::new("-") {
        return Ok(Input {
            reader: unpacked(BufReader::new(io::stdin())).map_err(io)?,
            total: Total::Unknown,
        });
    }
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let read = BytesRead::default();
    let counted = Counted {
        inner: file,
        read: read.clone(),
    };
    Ok(Input {
        reader: unpacked(BufReader::with_capacity(1 << 16, counted)).map_err(io)?,
        total: Total::Bytes(length, read),
    })
}

fn unpacked(mut reader: impl BufRead + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let gzipped = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(match gzipped {
        true => Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader))),
        false => Box::new(reader),
    })
}

struct Counted<R> {
    inner: R,
    read: BytesRead,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let taken = self.inner.read(into)?;
        self.read.add(taken);
        Ok(taken)
    }
}

/// Numbered lines of text, without their line ends. A line that is too long or no UTF-8, or a file that breaks off,
/// is an `Err` in words; after a broken file there is nothing more.
pub(crate) struct Lines {
    reader: Box<dyn BufRead + Send>,
    line: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl Lines {
    pub(crate) fn new(reader: Box<dyn BufRead + Send>) -> Lines {
        Lines {
            reader,
            line: 0,
            buffer: Vec::new(),
            ended: false,
        }
    }

    fn read_line(&mut self) -> io::Result<Option<Result<String, String>>> {
        self.buffer.clear();
        let mut part = self.reader.by_ref().take(MAX_LINE as u64 + 1);
        if part.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        if self.buffer.last() != Some(&b'\n') && self.buffer.len() > MAX_LINE {
            self.skip_to_line_end()?;
            return Ok(Some(Err(format!("the line is longer than {MAX_LINE} bytes"))));
        }
        while matches!(self.buffer.last(), Some(b'\n' | b'\r')) {
            self.buffer.pop();
        }
        let text = String::from_utf8(std::mem::take(&mut self.buffer));
        Ok(Some(text.map_err(|e| {
            format!("no UTF-8 after byte {}", e.utf8_error().valid_up_to())
        })))
    }

    fn skip_to_line_end(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.reader.fill_buf()?;
            let (used, found) = match chunk.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (chunk.len(), chunk.is_empty()),
            };
            self.reader.consume(used);
            if found {
                return Ok(());
            }
        }
    }
}

impl Iterator for Lines {
    type Item = (u64, Result<String, String>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        self.line += 1;
        let line = match self.read_line() {
            Ok(line) => line?,
            Err(error) => {
                self.ended = true;
                Err(format!("the input breaks off here: {error}"))
            }
        };
        Some((self.line, line))
    }
}

#[cfg(test)]
#[path = "files_test.rs"]
mod tests;
