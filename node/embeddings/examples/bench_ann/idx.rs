//! Pictures in idx files, read strictly.

/// Largest dimension that is believed.
const MAX_DIM: usize = 4096;

/// Not an idx file of three dimensions of bytes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no idx file of pictures: {what}")]
pub struct IdxError {
    /// What does not fit.
    what: &'static str,
}

/// Pictures of an idx file (the format of MNIST): magic 0x00000803, big-endian count, height and width, then bytes.
pub fn read(bytes: &[u8]) -> Result<(usize, Vec<Vec<f32>>), IdxError> {
    let bad = |what| IdxError { what };
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
#[path = "idx_test.rs"]
mod tests;
