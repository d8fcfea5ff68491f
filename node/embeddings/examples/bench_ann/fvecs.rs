//! Vectors in fvecs files, read strictly. The tests of the crate read them too.

/// Largest dimension that is believed.
const MAX_DIM: usize = 4096;

/// The length of an fvecs file does not fit its records.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no fvecs file: record {record} does not have {dim} floats")]
pub struct FvecsError {
    /// From 0.
    record: usize,
    /// What the first record says.
    dim: usize,
}

/// Vectors of an fvecs file: records of a little-endian dimension and as many floats.
pub fn read(bytes: &[u8]) -> Result<(usize, Vec<Vec<f32>>), FvecsError> {
    let dim = bytes.first_chunk::<4>().map_or(0, |b| u32::from_le_bytes(*b) as usize);
    let bad = |record| FvecsError { record, dim };
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

#[cfg(test)]
#[path = "fvecs_test.rs"]
mod tests;
