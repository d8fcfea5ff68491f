//! Names are read back, and nothing else is.

use std::path::Path;

use super::{FrameFile, Kind, hour_of};

#[test]
fn a_name_says_kind_hour_and_stem() {
    let file = FrameFile::new(Kind::Actions, 1_795_449_600_123, 0xab);
    let path = file.path(Path::new("/e/open/0"));
    assert_eq!(
        path.to_str(),
        Some("/e/open/0/actions-2026-11-23T16-001795449600123-00000000000000ab.frames")
    );
    assert_eq!(FrameFile::parse(&path), Some(file.clone()));
    let sealed = file.sealed(Path::new("/e"));
    assert_eq!(
        sealed.to_str(),
        Some("/e/actions/hour=2026-11-23T16/001795449600123-00000000000000ab.parquet")
    );
    assert_eq!(hour_of(sealed.parent().unwrap()), Some(file.hour));
}

#[test]
fn other_files_are_left_alone() {
    for name in [
        "LOCK",
        "x.frames",
        "served-.frames",
        "served-2026-11-23T16.frames",
        "other-2026-11-23T16-1.frames",
        "é-é.frames",
    ] {
        assert_eq!(FrameFile::parse(Path::new(name)), None, "{name}");
    }
}
