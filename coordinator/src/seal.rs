//! Texts that clients hold for us and cannot change: cursors and session tokens.
//!
//! A sealed text is base64url of the bytes and the first 16 bytes of their HMAC-SHA-256 under the cluster's secret. The
//! purpose is part of what is signed, so that a cursor is not taken for a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use covey_config::Secret;
use covey_shared::codec;
use covey_shared::session::SessionToken;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

/// Bytes of the signature: 2^128 tries to forge one.
const SIGNATURE: usize = 16;
/// Longest sealed text that is looked at: a cursor with 4000 ids.
const MAX_TEXT: usize = 64 << 10;
/// Version of the token's encoding.
const TOKEN_VERSION: u16 = 1;

/// Why a text is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// Longer than any that was handed out.
    #[error("it is longer than any that was handed out")]
    TooLong,
    /// Not what base64url looks like, or cut.
    #[error("it is damaged")]
    Damaged,
    /// Not signed by this cluster, or for another purpose.
    #[error("it was not handed out by this cluster for this purpose")]
    Forged,
    /// Signed, but of a release that wrote it differently.
    #[error("it comes from a release that this one does not understand")]
    Unreadable,
}

/// Signs and checks.
#[derive(Clone)]
pub struct Sealer {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

impl Sealer {
    /// All coordinators of a cluster share the secret.
    pub fn new(secret: &Secret) -> Sealer {
        let mac = Hmac::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length");
        Sealer { mac }
    }

    fn sign(&self, purpose: &str, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(bytes);
        mac
    }

    /// Makes `bytes` a text for `purpose`.
    pub fn seal(&self, purpose: &str, mut bytes: Vec<u8>) -> String {
        let signature = self.sign(purpose, &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The bytes of a text that [`Sealer::seal`] made for `purpose`.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn open(&self, purpose: &str, text: &str) -> Result<Vec<u8>, SealError> {
        if text.len() > MAX_TEXT {
            return Err(SealError::TooLong);
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Damaged)?;
        let split = bytes.len().checked_sub(SIGNATURE).ok_or(SealError::Damaged)?;
        let mac = self.sign(purpose, &bytes[..split]);
        mac.verify_truncated_left(&bytes[split..])
            .map_err(|_| SealError::Forged)?;
        bytes.truncate(split);
        Ok(bytes)
    }

    /// A session token as clients hold it; empty for one that says nothing.
    pub fn seal_token(&self, token: &SessionToken) -> String {
        if token.is_empty() {
            return String::new();
        }
        let bytes =
            codec::encode_versioned(TOKEN_VERSION, token).expect("a token of 1024 shards is far below the limit");
        self.seal("token", bytes)
    }

    /// The token behind a text; the empty text is the token that says nothing.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn open_token(&self, text: &str) -> Result<SessionToken, SealError> {
        if text.is_empty() {
            return Ok(SessionToken::default());
        }
        let bytes = self.open("token", text)?;
        codec::decode_versioned(TOKEN_VERSION, &bytes).map_err(|_| SealError::Unreadable)
    }
}

#[cfg(test)]
#[path = "seal_test.rs"]
mod tests;
