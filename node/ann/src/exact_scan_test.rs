//! The exact scan passes the conformance suite.

use crate::backend::Backend;
use crate::conformance;
use crate::plan::IndexSpec;

#[test]
fn passes_the_conformance_suite() {
    conformance::run(Backend::ExactScan, &IndexSpec::default());
}
