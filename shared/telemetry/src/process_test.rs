//! Process statistics.

use super::*;

#[test]
fn this_process_has_memory_and_cpu_time() {
    let stats = process_stats().unwrap();
    assert!(stats.resident_bytes > 100 << 10, "{stats:?}");
    assert!(stats.cpu_us > 0, "{stats:?}");
}

#[test]
fn an_unknown_status_is_an_error_and_no_zero() {
    assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t  1234 kB\n").unwrap(), 1234 * 1024);
    assert!(resident_bytes("Name:\tx\n").is_err());
    assert!(resident_bytes("VmRSS:\tmany kB\n").is_err());
}
