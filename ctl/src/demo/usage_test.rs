//! Reading /proc.

use super::*;

#[test]
fn times_are_read_after_a_name_with_anything_in_it() {
    let stat = "42 (co) vey (x) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 0 0";
    assert_eq!(ticks(stat), Some(300));
    assert_eq!(ticks("nonsense"), None);
}

#[test]
fn this_process_uses_memory_and_a_missing_one_does_not() {
    assert!(resident_bytes(std::process::id()).is_some_and(|bytes| bytes > 1 << 20));
    assert!(cpu_ms(std::process::id()).is_some());
    assert_eq!(cpu_ms(u32::MAX), None);
}
