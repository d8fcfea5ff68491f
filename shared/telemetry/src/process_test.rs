//! Process statistics.

use super::*;

#[test]
fn this_process_has_memory_and_cpu_time() {
    let stats = process_stats().unwrap();
    assert!(stats.resident_bytes > 100 << 10, "{stats:?}");
    assert!(stats.cpu_us > 0, "{stats:?}");
    assert!(stats.anonymous_bytes > 0 && stats.file_bytes > 0, "{stats:?}");
    // The kernel adds up its counters of the parts at different moments.
    assert!(
        stats.anonymous_bytes + stats.file_bytes <= stats.resident_bytes + (1 << 20),
        "{stats:?}"
    );
}

#[test]
fn an_unknown_status_is_an_error_and_no_zero() {
    assert_eq!(
        bytes_of("VmRSS:", "Name:\tx\nVmRSS:\t  1234 kB\n").unwrap(),
        1234 * 1024
    );
    assert!(bytes_of("VmRSS:", "Name:\tx\n").is_err());
    assert!(bytes_of("VmRSS:", "VmRSS:\tmany kB\n").is_err());
}
