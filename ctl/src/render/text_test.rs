//! Quantities, wrapping, tables.

use super::*;

#[test]
fn quantities_read_well() {
    assert_eq!(
        [span(5_000), span(840_000), span(3 * 3_600_000)].join(" "),
        "5 s 14 min 3 h"
    );
    assert_eq!(age(1_000, 61_000), "60 s ago");
    assert_eq!(age(61_000, 1_000), "in 60 s");
    assert_eq!(
        [bytes(900), bytes(1536), bytes(412 << 20)].join(" "),
        "900 B 1.5 KiB 412 MiB"
    );
    assert_eq!([count(7), count(1234), count(100_000)].join(","), "7,1 234,100 000");
}

#[test]
fn text_is_wrapped_and_cannot_move_the_cursor() {
    let long = "word ".repeat(40);
    assert!(
        wrapped(&long, 4)
            .lines()
            .all(|l| l.len() <= WIDTH + 4 && l.starts_with("    word"))
    );
    assert_eq!(wrapped("a\x1b[2J\nb", 2), "  a [2J b\n");
    assert_eq!(wrapped("", 2), "");
}

#[test]
fn table_columns_line_up() {
    let rows = vec![
        vec!["1".to_owned(), "long cell".to_owned()],
        vec!["22".to_owned(), "x".to_owned()],
    ];
    assert_eq!(
        table(&["A", "B"], &rows, Style::plain()),
        "A   B\n1   long cell\n22  x\n"
    );
}
