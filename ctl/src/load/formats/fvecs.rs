//! `fvecs`: vectors as rows of {dimension: i32, values: f32 …}, little-endian. One post per row, with the row number as
//! id and a word as text if there is a list of words.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use covey_api::v1::Post;

use crate::load::files::{self, Lines, OpenError};
use crate::load::source::{Row, Source};
use crate::record::Record;

/// Largest dimension believed.
const MAX_DIM: i32 = 65_536;

/// What the file does not say.
#[derive(Clone, Debug)]
pub struct FvecsOptions {
    /// One text per row, line by line; `None` = "vector 1", "vector 2", …
    pub words: Option<PathBuf>,
    /// Zeros are appended up to this dimension, the one of the cluster. A larger row is a bad one.
    pub dim: usize,
    /// The posts are dealt to so many authors, ≥ 1.
    pub authors: u64,
    /// Creation time of all posts, in milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// Opens the file.
pub(crate) fn open(path: &Path, options: &FvecsOptions) -> Result<Source, OpenError> {
    let input = files::open(path)?;
    let words = options.words.as_deref().map(files::open).transpose()?;
    let rows = Vectors {
        reader: input.reader,
        words: words.map(|w| Lines::new(w.reader)),
        row: 0,
        ended: false,
        options: options.clone(),
    };
    Ok(Source {
        rows: Box::new(rows),
        total: input.total,
    })
}

struct Vectors {
    reader: Box<dyn BufRead + Send>,
    words: Option<Lines>,
    row: u64,
    ended: bool,
    options: FvecsOptions,
}

impl Vectors {
    /// `Ok(None)` at the end; `Err` when the rest cannot be trusted.
    fn read_vector(&mut self) -> Result<Option<Vec<f32>>, String> {
        if self.reader.fill_buf().map_err(|e| e.to_string())?.is_empty() {
            return Ok(None);
        }
        let broken = |e: std::io::Error| format!("the file breaks off here: {e}");
        let mut head = [0; 4];
        self.reader.read_exact(&mut head).map_err(broken)?;
        let dim = i32::from_le_bytes(head);
        if !(1..=MAX_DIM).contains(&dim) {
            return Err(format!(
                "dimension {dim} is not in 1 to {MAX_DIM}; the rest of the file is skipped"
            ));
        }
        let mut bytes = vec![0; dim as usize * 4];
        self.reader.read_exact(&mut bytes).map_err(broken)?;
        let values = bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        Ok(Some(values.collect()))
    }

    fn post(&mut self, mut vector: Vec<f32>) -> Result<Post, String> {
        let word = self
            .words
            .as_mut()
            .and_then(|words| words.next())
            .and_then(|(_, word)| word.ok());
        if vector.len() > self.options.dim {
            return Err(format!(
                "{} values, more than the {} of the cluster",
                vector.len(),
                self.options.dim
            ));
        }
        if !vector.iter().all(|x| x.is_finite()) || vector.iter().all(|x| *x == 0.0) {
            return Err("the vector has NaN or infinity, or is all 0".into());
        }
        vector.resize(self.options.dim, 0.0);
        Ok(Post {
            post_id: self.row,
            author_id: self.row % self.options.authors + 1,
            text: word
                .filter(|w| !w.is_empty())
                .unwrap_or_else(|| format!("vector {}", self.row)),
            created_at_ms: self.options.now_ms,
            vector,
            ..Post::default()
        })
    }
}

impl Iterator for Vectors {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.ended {
            return None;
        }
        self.row += 1;
        let row = match self.read_vector() {
            Ok(None) => return None,
            Ok(Some(vector)) => self.post(vector),
            Err(why) => {
                self.ended = true;
                Err(why)
            }
        };
        Some(match row {
            Ok(post) => Row::record(self.row, Record::Post(post)),
            Err(why) => Row::bad(self.row, why),
        })
    }
}
