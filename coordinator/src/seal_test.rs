//! Sealed texts survive the round trip and nothing else.

use covey_shared::ids::{LogIndex, ShardId};
use covey_shared::session::Seen;

use super::*;

fn sealer(secret: &str) -> Sealer {
    Sealer::new(&Secret::new(secret))
}

fn token() -> SessionToken {
    let mut token = SessionToken::default();
    token.observe(Seen {
        shard: ShardId(3),
        range_ver: 1,
        index: LogIndex(77),
    });
    token
}

#[test]
fn token_survives_and_the_empty_one_is_the_empty_text() {
    let sealer = sealer("a");
    let text = sealer.seal_token(&token());
    assert_eq!(sealer.open_token(&text), Ok(token()));
    assert_eq!(sealer.seal_token(&SessionToken::default()), "");
    assert_eq!(sealer.open_token(""), Ok(SessionToken::default()));
}

#[test]
fn every_changed_character_is_noticed() {
    let sealer = sealer("a");
    let text = sealer.seal_token(&token());
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(sealer.open_token(&changed).is_err(), "{at}");
    }
}

#[test]
fn other_secret_and_other_purpose_are_refused() {
    let text = sealer("a").seal("cursor", vec![1, 2, 3]);
    assert_eq!(sealer("a").open("cursor", &text), Ok(vec![1, 2, 3]));
    assert_eq!(sealer("b").open("cursor", &text), Err(SealError::Forged));
    assert_eq!(sealer("a").open("token", &text), Err(SealError::Forged));
}

#[test]
fn garbage_is_refused() {
    let sealer = sealer("a");
    for text in ["x", "====", "ä", "AAAA"] {
        assert_eq!(sealer.open_token(text), Err(SealError::Damaged), "{text}");
    }
    assert_eq!(sealer.open_token(&"A".repeat(MAX_TEXT + 1)), Err(SealError::TooLong));
}
