//! What is refused before anything runs.

use portcullis_cedar::{CedarErrorKind, CedarPolicies, MOST_BYTES};
use portcullis_core::{ConfigError, Decision};

use crate::support::{PERMIT, SCHEMA, decide, denied, policies};

fn refused(text: &str) -> (CedarErrorKind, Option<usize>, String) {
    let error = policies(text).map(drop).expect_err(text);
    (error.kind(), error.line(), error.to_string())
}

#[test]
fn a_schema_and_policies_have_to_be_given() {
    let builder = CedarPolicies::builder;
    assert!(builder().schema(SCHEMA).policies(PERMIT).build().is_ok());
    for incomplete in [
        builder(),
        builder().schema(SCHEMA),
        builder().policies(PERMIT),
        builder().schema(SCHEMA).policies(""),
        builder().schema(SCHEMA).policies("// nothing yet"),
    ] {
        let error = incomplete.build().map(drop).expect_err("incomplete");
        assert_eq!(error.kind(), CedarErrorKind::Missing, "{error}");
    }
}

#[test]
fn a_policy_that_does_not_fit_the_schema_is_refused_with_its_line() {
    let good = "\npermit (\n  principal is User,\n  action == Action::\"use\",\n  resource\n) when { resource.size > 1 };";
    assert!(policies(good).is_ok());
    for (old, new, line) in [
        ("is User", "is Usr", 3),
        ("Action::\"use\"", "Action::\"us\"", 4),
        ("resource.size", "resource.sise", 6),
        ("> 1", "> \"1\"", 6),
        ("> 1", "== \"1\"", 6),
    ] {
        let bad = good.replace(old, new);
        let (kind, at, message) = refused(&bad);
        assert_eq!((kind, at), (CedarErrorKind::Validation, Some(line)), "{message}");
        assert!(
            message.starts_with(&format!("policies, line {line}, column ")),
            "{message}"
        );
    }
}

#[test]
fn an_optional_attribute_has_to_be_looked_for_first() {
    let permit = |when: &str| format!("permit (principal, action, resource) when {{ {when} }};");
    assert!(policies(&permit("context has acr && context.acr == \"phr\"")).is_ok());
    assert_eq!(
        refused(&permit("context.acr == \"phr\"")).0,
        CedarErrorKind::Validation
    );
}

#[test]
fn a_policy_that_does_not_parse_is_refused_with_its_line() {
    let (kind, line, message) = refused("permit (principal, action, resource)\nwhen { true }\n;;");
    assert_eq!((kind, line), (CedarErrorKind::Syntax, Some(3)), "{message}");
    for bad in [
        "permit",
        "{}",
        "\0",
        "permit (principal, action, resource) when { \"é }",
        "é",
    ] {
        assert_eq!(refused(bad).0, CedarErrorKind::Syntax);
    }
}

#[test]
fn a_template_is_refused_since_nobody_links_it() {
    let template = "forbid (principal == ?principal, action, resource);";
    assert_eq!(
        refused(&format!("{PERMIT} {template}")).0,
        CedarErrorKind::Missing
    );
    assert!(
        policies(&format!(
            "{PERMIT} {}",
            template.replace("?principal", "User::\"x\"")
        ))
        .is_ok()
    );
}

#[test]
fn a_schema_that_does_not_parse_or_contradicts_itself_is_refused() {
    for (broken, line) in [
        (SCHEMA.replace("entity Folder;", "entity Folder"), true),
        (SCHEMA.replace("entity Folder;", ""), false),
        (format!("{SCHEMA} entity User;"), false),
        (SCHEMA.replace("Portcullis::Caller", "Portcullis::Called"), false),
    ] {
        let built = CedarPolicies::builder().schema(broken).policies(PERMIT).build();
        let error = built.map(drop).expect_err("broken");
        assert_eq!(error.kind(), CedarErrorKind::Schema, "{error}");
        assert!(!line || error.line().is_some(), "{error}");
    }
}

#[test]
fn what_is_too_large_is_refused_unread() {
    let filled = |text: &str, length: usize| format!("{text}{}", " ".repeat(length - text.len()));
    let build = |schema: String, policies: String| {
        let built = CedarPolicies::builder().schema(schema).policies(policies).build();
        built.map(drop).map_err(|error| error.kind())
    };
    let most = || (filled(SCHEMA, MOST_BYTES), filled(PERMIT, MOST_BYTES));
    assert_eq!(build(most().0, most().1), Ok(()));
    assert_eq!(build(most().0 + " ", most().1), Err(CedarErrorKind::TooLarge));
    assert_eq!(build(most().0, most().1 + " "), Err(CedarErrorKind::TooLarge));
}

/// Validated by Cedar to the last operand, and evaluated on a stack that is long enough.
#[test]
fn a_policy_as_deep_as_it_may_be_is_decided_and_a_deeper_one_is_refused() {
    let chain =
        |operators: usize| format!("resource.size == 4{}", " || resource.size == 4".repeat(operators));
    let text = |condition: String| format!("permit (principal, action, resource) when {{ {condition} }};");
    // Each operand has a member access besides.
    assert_eq!(
        decide(&text(format!("{} || resource.size == 3", chain(248)))),
        Decision::Granted
    );
    assert_eq!(decide(&text(chain(249))), denied("cedar_denied"));
    assert_eq!(refused(&text(chain(250))).0, CedarErrorKind::TooLarge);
    // Where Cedar's validator looks first is the far end of the chain.
    let typo = chain(249).replacen("size", "sise", 1);
    assert_eq!(refused(&text(typo)).0, CedarErrorKind::Validation);

    let nested = |depth: usize| text(format!("{}true{}", "!(".repeat(depth), ")".repeat(depth)));
    assert_eq!(decide(&nested(30)), Decision::Granted);
    assert_eq!(decide(&nested(31)), denied("cedar_denied"));
    assert_eq!(refused(&nested(32)).0, CedarErrorKind::TooLarge);
}

#[test]
fn nesting_without_end_is_refused_and_does_not_overflow_the_stack() {
    for depth in [40, 1_000, 20_000] {
        for (open, close) in [
            ("(", ")"),
            ("!", ""),
            ("-", ""),
            ("[", "]"),
            ("if true then ", ""),
        ] {
            let condition = format!("{}true{}", open.repeat(depth), close.repeat(depth));
            let text = format!("permit (principal, action, resource) when {{ {condition} }};");
            // Some of it is taken, if it is no deeper than that: an answer is the point.
            let taken = policies(&text).is_ok();
            assert!(!taken || depth == 40, "{depth} {open}");
        }
        let nested = format!("{}Bool{}", "Set<".repeat(depth), ">".repeat(depth));
        let schema = SCHEMA.replace("size: Long", &format!("size: {nested}"));
        let built = CedarPolicies::builder().schema(schema).policies(PERMIT).build();
        assert_eq!(
            built.map(drop).expect_err("deep").kind(),
            CedarErrorKind::TooLarge
        );
    }
}

#[test]
fn only_actions_of_the_schema_that_apply_to_something_are_bound() {
    let schema =
        format!("{SCHEMA} action group; namespace A {{ action twice; }} namespace B {{ action twice; }}");
    let policies = CedarPolicies::builder()
        .schema(schema)
        .policies(PERMIT)
        .build()
        .expect("valid");
    assert!(policies.action("use").is_ok());
    for unknown in ["Use", "us", "", "Action::\"us\"", "group", "twice", "use\"", "\0"] {
        let error = policies.action(unknown).map(drop).expect_err(unknown);
        assert_eq!(error.kind(), CedarErrorKind::Action, "{error}");
    }
}

#[test]
fn a_builder_of_the_application_passes_the_error_on() {
    fn configured(text: &str) -> Result<(), ConfigError> {
        policies(text)?;
        Ok(())
    }
    assert!(configured(PERMIT).is_ok());
    let error = configured("permit").expect_err("bad");
    let source = std::error::Error::source(&error).expect("a cause");
    assert!(source.to_string().starts_with("policies, line 1"), "{source}");
}
