//! Trace context as bytes and as a header.

use super::*;

const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn traceparent_survives_the_round_trip() {
    let bytes = from_traceparent(HEADER).unwrap();
    assert_eq!(&bytes[..4], &[0x4b, 0xf9, 0x2f, 0x35]);
    assert_eq!(&bytes[16..], &[0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7, 0x01]);
    assert_eq!(to_traceparent(&bytes).unwrap(), HEADER);
}

#[test]
fn traceparent_of_a_later_version_may_have_more_fields() {
    let later = format!("cc{}-more", &HEADER[2..]);
    assert_eq!(from_traceparent(&later), from_traceparent(HEADER));
}

#[test]
fn malformed_traceparent_is_no_trace() {
    let bad = [
        "",
        "00",
        "00-4bf9-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00-ä4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
    ];
    for header in bad {
        assert_eq!(from_traceparent(header), None, "{header}");
    }
}

#[test]
fn no_trace_is_zeros_and_no_header() {
    assert_eq!(current_trace(), [0; 25]);
    assert_eq!(to_traceparent(&[0; 25]), None);
    assert_eq!(trace_id_hex(), None);
}
