//! Mistakes that do not compile, and what the compiler says about them.

/// Each file makes one mistake; beside it stands what the compiler says.
#[test]
fn mistakes_do_not_compile_and_the_message_names_the_cure() {
    trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
}
