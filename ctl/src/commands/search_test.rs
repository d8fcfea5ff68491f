//! Vectors on the command line.

use super::*;

#[test]
fn vectors_are_numbers_with_commas() {
    assert_eq!(vector("1, -2.5,3e1").unwrap(), [1.0, -2.5, 30.0]);
    assert_eq!(vector("[0.5, 1]").unwrap(), [0.5, 1.0]);
    assert!(vector("1,x").unwrap_err().to_string().contains("\"x\""));
    assert!(vector("@/nowhere").is_err());
}
