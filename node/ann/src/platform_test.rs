//! Tests of the platform check.

use super::*;

#[test]
fn this_machine_runs_faiss_with_avx2() {
    check_cpu().unwrap();
}

#[test]
fn a_cpu_without_avx2_is_named_in_the_error() {
    assert_eq!(missing_instructions(true), ["AVX2"]);
    let error = AnnError::CpuUnsupported {
        missing: missing_instructions(true).join(", "),
    };
    assert!(
        error.to_string().starts_with("this CPU lacks AVX2; Covey needs"),
        "{error}"
    );
}
