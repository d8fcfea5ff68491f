//! Tests of the command line.

use super::*;

#[test]
fn all_data_sets_unless_some_are_named() {
    let all = Args::try_parse_from(["bench"]).unwrap();
    assert_eq!((all.datasets().len(), all.rows, all.json), (3, 200_000, false));
    let two = Args::try_parse_from([
        "bench",
        "--json",
        "--dataset",
        "glove",
        "fashion-mnist",
        "--rows",
        "50000",
    ])
    .unwrap();
    assert_eq!(two.datasets(), [Dataset::Glove, Dataset::FashionMnist]);
    assert_eq!((two.rows, two.json), (50_000, true));
}

#[test]
fn a_size_that_cannot_be_measured_is_refused() {
    for rows in ["0", "39999", "1e6", "10000001"] {
        assert!(Args::try_parse_from(["bench", "--rows", rows]).is_err(), "{rows}");
    }
    assert!(Args::try_parse_from(["bench", "--dataset", "sift"]).is_err());
}
