//! A table of routes, held against the one that was agreed upon.

use std::fmt::{Display, Write};

/// Asserts that a table, the inventory of a `Gate` for instance, says what it said when it was reviewed.
///
/// Compares line by line. Empty lines do not count, and neither does how much blank space there is in a line: a
/// longer route moves the columns of all the others.
///
/// ```
/// use portcullis_test::assert_inventory;
///
/// // `gate.inventory()`
/// let inventory = "\
/// ROUTE       METHODS    NEED
/// /documents  GET, HEAD  signed in
/// ";
/// assert_inventory(
///     inventory,
///     "
///     ROUTE       METHODS    NEED
///     /documents  GET, HEAD  signed in
///     ",
/// );
/// ```
///
/// # Panics
///
/// When they differ: with the lines that do, and the whole table, to be pasted once it has been read.
#[track_caller]
pub fn assert_inventory(inventory: impl Display, expected: &str) {
    let table = inventory.to_string();
    let (found, expected) = (lines(&table), lines(expected));
    assert!(
        found == expected,
        "the inventory differs (- expected, + found):\n{}\nthe whole of it:\n\n{table}",
        differences(&expected, &found)
    );
}

fn lines(table: &str) -> Vec<String> {
    let lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect()
}

/// The lines that only one of them has, in an order that both have.
fn differences(expected: &[String], found: &[String]) -> String {
    let common = common(expected, found);
    let (mut one, mut other) = (0, 0);
    let mut said = String::new();
    while one < expected.len() || other < found.len() {
        let is_expected = one < expected.len();
        let is_found = other < found.len();
        if is_expected && is_found && expected[one] == found[other] {
            (one, other) = (one + 1, other + 1);
        } else if is_expected && (!is_found || common[one + 1][other] >= common[one][other + 1]) {
            let _ = writeln!(said, "- {}", expected[one]);
            one += 1;
        } else {
            let _ = writeln!(said, "+ {}", found[other]);
            other += 1;
        }
    }
    said
}

/// How many lines the two have in common from each pair of places on.
fn common(expected: &[String], found: &[String]) -> Vec<Vec<usize>> {
    let mut common = vec![vec![0; found.len() + 1]; expected.len() + 1];
    for one in (0..expected.len()).rev() {
        for other in (0..found.len()).rev() {
            common[one][other] = if expected[one] == found[other] {
                common[one + 1][other + 1] + 1
            } else {
                common[one + 1][other].max(common[one][other + 1])
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    const TABLE: &str = "/a  GET   signed in\n/b  POST  public\n";

    #[test]
    fn blank_space_makes_no_difference() {
        assert_inventory(TABLE, TABLE);
        assert_inventory(TABLE, "\n\n    /a GET      signed in   \n\n /b POST public");
    }

    #[test]
    fn what_differs_is_shown_and_the_whole_to_paste() {
        let panic = catch_unwind(|| assert_inventory(TABLE, "/a GET public\n/b POST public")).unwrap_err();
        let said = panic.downcast_ref::<String>().unwrap();
        assert_eq!(
            said,
            &format!(
                "the inventory differs (- expected, + found):\n- /a GET public\n+ /a GET signed in\n\n\
                 the whole of it:\n\n{TABLE}"
            )
        );
    }

    #[test]
    fn a_line_more_or_less_or_elsewhere_is_a_difference() {
        for other in ["", "/a GET signed in", "/b POST public\n/a GET signed in"] {
            assert!(
                catch_unwind(|| assert_inventory(TABLE, other)).is_err(),
                "{other}"
            );
        }
        let more = format!("{TABLE}/c PUT public");
        let panic = catch_unwind(|| assert_inventory(TABLE, &more)).unwrap_err();
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(
            said.contains("- /c PUT public\n") && !said.contains("- /a"),
            "{said}"
        );
    }
}
