//! The lines to paste, each under a title that says which code comes back.

use std::net::SocketAddr;

use portcullis_test::TestIssuer;

const HOUR: i64 = 60 * 60;

/// Who asks: subject, scope, and for how many seconds.
type Who = Option<(&'static str, &'static str, i64)>;

/// One line per case: a title, who asks, a method, and a message.
#[rustfmt::skip] // A table.
const CASES: [(&str, Who, &str, &str); 8] = [
    ("nobody: Unauthenticated", None, "Documents/Get", r#"{"id":1}"#),
    ("her own document: Ok", Some(("alice", "documents:read", HOUR)), "Documents/Get", r#"{"id":1}"#),
    ("somebody else's: PermissionDenied", Some(("alice", "documents:read", HOUR)), "Documents/Get", r#"{"id":2}"#),
    ("the wrong scope: PermissionDenied", Some(("alice", "profile", HOUR)), "Documents/Get", r#"{"id":1}"#),
    ("the wrong scope for a whole service: PermissionDenied", Some(("alice", "profile", HOUR)), "Account/SignOut", "{}"),
    ("expired: Unauthenticated", Some(("alice", "documents:read", -HOUR)), "Documents/Get", r#"{"id":1}"#),
    ("a stream that lasts as long as its token: Unauthenticated", Some(("alice", "documents:read", 90)), "Documents/Watch", "{}"),
    ("ends that stream at once, from a second terminal: Ok", Some(("alice", "account", HOUR)), "Account/SignOut", "{}"),
];

/// What `main` prints.
pub(crate) fn text(issuer: &TestIssuer, audience: &str, address: SocketAddr) -> String {
    let line = |(title, who, method, message): (_, Who, _, _)| {
        let header = who
            .map(|(subject, scope, lifetime)| {
                let token = issuer.token().subject(subject).scope(scope).lifetime(lifetime);
                format!(" -H 'authorization: Bearer {}'", token.audience(audience).build())
            })
            .unwrap_or_default();
        format!(
            "\n# {title}\ngrpcurl -plaintext -proto examples/grpc/proto/documents.proto{header} -d '{message}' \
             {address} portcullis.example.v1.{method}\n"
        )
    };
    CASES.map(line).concat()
}
