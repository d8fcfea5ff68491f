//! File formats of vectors, read strictly.

/// Largest dimension that is believed.
const MAX_DIM: usize = 4096;

/// A file that is not what its name says.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FormatError {
    /// The length of an fvecs file does not fit its records.
    #[error("no fvecs file: record {record} does not have {dim} floats")]
    Fvecs {
        /// From 0.
        record: usize,
        /// What the first record says.
        dim: usize,
    },
    /// Not an idx file of three dimensions of bytes.
    #[error("no idx file of pictures: {what}")]
    Idx {
        /// What does not fit.
        what: &'static str,
    },
}

/// Vectors of an fvecs file: records of a little-endian dimension and as many floats.
pub fn fvecs(bytes: &[u8]) -> Result<(usize, Vec<Vec<f32>>), FormatError> {
    let dim = bytes.first_chunk::<4>().map_or(0, |b| u32::from_le_bytes(*b) as usize);
    let bad = |record| FormatError::Fvecs { record, dim };
    if dim == 0 || dim > MAX_DIM {
        return Err(bad(0));
    }
    let records = bytes.chunks(4 + 4 * dim).enumerate();
    let vectors = records.map(|(number, record)| {
        let (words, rest) = record.as_chunks::<4>();
        match words {
            [first, floats @ ..]
                if u32::from_le_bytes(*first) as usize == dim && floats.len() == dim && rest.is_empty() =>
            {
                Ok(floats.iter().map(|b| f32::from_le_bytes(*b)).collect())
            }
            _ => Err(bad(number)),
        }
    });
    Ok((dim, vectors.collect::<Result<_, _>>()?))
}

/// Pictures of an idx file (the format of MNIST): magic 0x00000803, big-endian count, height and width, then bytes.
pub fn idx(bytes: &[u8]) -> Result<(usize, Vec<Vec<f32>>), FormatError> {
    let bad = |what| FormatError::Idx { what };
    let word = |at: usize| {
        let word = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
        word.map(|b| u32::from_be_bytes(*b) as usize)
            .ok_or(bad("its header is cut"))
    };
    if word(0)? != 0x0803 {
        return Err(bad("its first four bytes are not 00 00 08 03"));
    }
    let (count, height, width) = (word(4)?, word(8)?, word(12)?);
    let dim = height.checked_mul(width).filter(|dim| (1..=MAX_DIM).contains(dim));
    let dim = dim.ok_or(bad("its pictures are too large"))?;
    let body = &bytes[16..];
    if count.checked_mul(dim) != Some(body.len()) {
        return Err(bad("it has another length than its header says"));
    }
    let pictures = body.chunks_exact(dim);
    Ok((
        dim,
        pictures
            .map(|picture| picture.iter().map(|&x| f32::from(x)).collect())
            .collect(),
    ))
}

#[cfg(test)]
#[path = "formats_test.rs"]
mod tests;
