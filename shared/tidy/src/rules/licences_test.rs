//! Licence expressions.

use std::collections::BTreeSet;

use serde_json::json;

use super::{is_allowed, licences};

#[test]
fn expressions_are_judged_as_spdx_says() {
    let allowed = BTreeSet::from(["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"]);
    for good in [
        "MIT",
        "GPL-3.0 OR MIT",
        "GPL-3.0/MIT",
        "MIT AND Zlib",
        "(GPL-3.0 OR MIT) AND Zlib",
        "Apache-2.0 WITH LLVM-exception OR X",
    ] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "Apache-2.0",
        "(MIT",
        "MIT)",
        "GPL-3.0 OR MIT AND X",
    ] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

#[test]
fn a_foreign_licence_is_named_with_its_crate() {
    let metadata = json!({"packages": [
        {"name": "a", "version": "1.0.0", "license": "MIT"},
        {"name": "b", "version": "2.0.0", "license": "GPL-3.0"},
        {"name": "c", "version": "3.0.0", "license": null},
    ]});
    let found = licences(&metadata, "[licenses]\nallow = [\"MIT\"]\n");
    assert_eq!(found.len(), 2);
    assert!(found[0].message.starts_with("b 2.0.0 has the licence \"GPL-3.0\""));
}
