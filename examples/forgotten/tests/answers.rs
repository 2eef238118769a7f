//! What the program shows is what its README says.

use std::process::Command;

/// T-WIRE-1: forgetting is withheld, reported, or does not get that far.
#[test]
fn a_forgotten_decision_leaks_only_where_nobody_looks() {
    let output = Command::new(env!("CARGO_BIN_EXE_forgotten"))
        .output()
        .expect("the program runs");
    assert!(output.status.success());
    let shown = String::from_utf8(output.stdout).expect("text");
    let scenes: Vec<_> = shown.split("# ").skip(1).collect();
    let [leaky, watched, withheld, gate] = scenes[..] else {
        panic!("four scenes:\n{shown}");
    };
    for (scene, status, leaks, level) in [
        (leaky, "200 OK", true, None),
        (watched, "200 OK", true, Some("WARN")),
        (withheld, "500 Internal Server Error", false, Some("ERROR")),
        (gate, "403 Forbidden", false, None),
    ] {
        assert!(scene.contains(status), "{scene}");
        assert_eq!(scene.contains("7,000"), leaks, "{scene}");
        assert_eq!(scene.contains("WARN"), level == Some("WARN"), "{scene}");
        assert_eq!(scene.contains("ERROR"), level == Some("ERROR"), "{scene}");
        assert_eq!(scene.contains("route=\"/salaries\""), level.is_some(), "{scene}");
    }
}
