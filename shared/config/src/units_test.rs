//! Durations, sizes, addresses and secrets as people write them.

use std::time::Duration;

use super::{Address, ByteSize, Secret, parse_bytes, parse_duration, show_duration};

#[test]
fn durations_and_sizes_survive_a_round_trip() {
    for text in ["0ms", "1ms", "500ms", "2s", "180s", "5m", "48h", "36500d"] {
        let span = parse_duration(text).expect(text);
        assert_eq!(parse_duration(&show_duration(span)), Some(span), "{text}");
    }
    for text in ["0B", "280B", "64KiB", "64MiB", "3GiB", "1TiB"] {
        assert_eq!(parse_bytes(text).expect(text).to_string(), text);
    }
}

#[test]
fn a_number_without_a_unit_is_refused() {
    for text in [
        "",
        "5",
        "ms",
        "-5s",
        "1.5s",
        "5 minutes",
        "99999999999999999999s",
        "9999999999999999999d",
    ] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
    for text in ["", "64", "64MB", "MiB", "-1B", "18446744073709551615KiB"] {
        assert_eq!(parse_bytes(text), None, "{text}");
    }
}

#[test]
fn two_days_stay_readable_as_hours() {
    assert_eq!(show_duration(Duration::from_secs(48 * 3600)), "48h");
    assert_eq!(show_duration(Duration::from_millis(1500)), "1500ms");
    assert_eq!(ByteSize::new(1536).to_string(), "1536B");
}

#[test]
fn an_address_needs_a_host_and_a_port() {
    for text in [
        "",
        "host",
        ":80",
        "host:",
        "host:99999",
        "a b:1",
        "::1:80",
        "[zz]:1",
        "http://x:1",
    ] {
        assert_eq!(Address::parse(text), None, "{text}");
    }
    let v6 = Address::parse("[::1]:7101").expect("a valid address");
    assert_eq!((v6.host(), v6.port(), v6.as_str()), ("::1", 7101, "[::1]:7101"));
}

#[test]
fn only_addresses_that_stay_on_the_machine_are_loopback() {
    let loopback = |text: &str| Address::parse(text).expect(text).is_loopback();
    assert!(loopback("127.0.0.1:1") && loopback("127.9.9.9:1") && loopback("localhost:1") && loopback("[::1]:1"));
    assert!(!loopback("0.0.0.0:1") && !loopback("10.0.0.1:1") && !loopback("node-1:1") && !loopback("[::]:1"));
}

#[test]
fn a_secret_is_never_printed() {
    let secret = Secret::new("correct horse\n");
    assert_eq!(secret.expose(), "correct horse");
    assert_eq!(format!("{secret:?}"), "Secret(hidden)");
}
