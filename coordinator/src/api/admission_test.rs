//! Places in work, and deadlines.

use super::*;

#[test]
fn one_above_the_limit_is_refused_until_a_place_is_free() {
    let admission = Admission::new(2);
    let first = admission.enter().unwrap();
    let _second = admission.enter().unwrap();
    assert!(admission.enter().is_none());
    assert_eq!(admission.in_flight(), 2);
    drop(first);
    assert!(admission.enter().is_some());
}

#[test]
fn deadline_has_a_default_and_a_limit() {
    let deadlines = Deadlines {
        default: Duration::from_secs(2),
        longest: Duration::from_secs(30),
    };
    assert_eq!(deadlines.time(None), Duration::from_secs(2));
    assert_eq!(deadlines.time(Some(Duration::from_millis(5))), Duration::from_millis(5));
    assert_eq!(deadlines.time(Some(Duration::from_secs(9999))), Duration::from_secs(30));
}

#[test]
fn grpc_timeout_is_read_in_all_its_units() {
    assert_eq!(grpc_timeout("150m"), Some(Duration::from_millis(150)));
    assert_eq!(grpc_timeout("2S"), Some(Duration::from_secs(2)));
    assert_eq!(grpc_timeout("1H"), Some(Duration::from_secs(3600)));
    assert_eq!(grpc_timeout("99999999u"), Some(Duration::from_micros(99_999_999)));
    for bad in ["", "m", "5", "-5m", "5x", "999999999m", "5é", "５m", "1.5S"] {
        assert_eq!(grpc_timeout(bad), None, "{bad}");
    }
}
