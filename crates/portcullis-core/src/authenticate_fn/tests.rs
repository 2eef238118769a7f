use std::pin::pin;
use std::task::Waker;

use http::{HeaderName, Request};

use super::*;
use crate::{AuthErrorKind, Delivery, Method, Scheme, place};

fn parts(headers: &[(&str, &[u8])]) -> Parts {
    let mut parts = Request::new(()).into_parts().0;
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).expect("name");
        parts
            .headers
            .append(name, http::HeaderValue::from_bytes(value).expect("value"));
    }
    parts
}

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("not ready"),
    }
}

async fn check(value: Secret<String>) -> Result<Option<Authentication<&'static str>>, AuthError> {
    match value.expose().as_str() {
        "good" => Ok(Some(Authentication::assertion("alice", Method::new("test")))),
        "nobody" => Ok(None),
        _ => Err(AuthError::invalid_credentials("wrong")),
    }
}

#[test]
fn a_header_field_is_judged_by_the_function_and_a_broken_one_is_malformed() {
    let method = authenticate_fn(place::header("x-internal").expect("place"), check);
    let challenge = method.challenges().iter().next().expect("one").to_string();
    assert_eq!(challenge, r#"ApiKey realm="api", header="x-internal""#);
    assert_eq!(method.inspected_headers(), ["x-internal"]);

    let good = parts(&[("x-internal", b"good")]);
    assert_eq!(method.presence(&good), Presence::Present(Delivery::Explicit));
    let found = ready(method.authenticate_request(&good))
        .expect("good")
        .expect("alice");
    assert_eq!((found.principal(), found.is_ambient()), (&"alice", false));
    assert_eq!(found.scheme(), Some(&Scheme::API_KEY));

    let bad = parts(&[("x-internal", b"bad")]);
    assert_eq!(method.presence(&bad), Presence::Present(Delivery::Explicit));
    let refused = ready(method.authenticate_request(&bad)).expect_err("bad");
    assert_eq!(refused.kind(), AuthErrorKind::InvalidCredentials);
    assert_eq!(refused.scheme(), Some(&Scheme::API_KEY));

    assert_eq!(method.presence(&parts(&[("x-other", b"good")])), Presence::Absent);
    for broken in [
        &[("x-internal", &b"good"[..]), ("x-internal", b"good")][..],
        &[("x-internal", b"")],
        &[("x-internal", b" ")],
        &[("x-internal", b"g\xf6\xf6d")],
    ] {
        assert_eq!(method.presence(&parts(broken)), Presence::Malformed, "{broken:?}");
    }
}

#[test]
fn a_cookie_is_ambient_and_a_repeated_one_is_absent() {
    let method = authenticate_fn(place::cookie("__Host-id").expect("place"), check);
    let good = parts(&[("cookie", b"a=b; __Host-id=good")]);
    assert_eq!(method.presence(&good), Presence::Present(Delivery::Ambient));
    let found = ready(method.authenticate_request(&good))
        .expect("good")
        .expect("alice");
    assert!(found.is_ambient());
    let nobody = parts(&[("cookie", b"__Host-id=nobody")]);
    assert!(
        ready(method.authenticate_request(&nobody))
            .expect("nobody")
            .is_none()
    );
    for absent in [&b"__Host-id=good; __Host-id=good"[..], b"__Host-id=", b"id=good"] {
        assert_eq!(method.presence(&parts(&[("cookie", absent)])), Presence::Absent);
    }
}

#[test]
fn authorization_is_read_in_its_own_scheme_only() {
    let internal = Scheme::new("Internal").expect("scheme");
    let method = authenticate_fn(place::authorization(internal).expect("place"), check);
    let present = Presence::Present(Delivery::Explicit);
    for (value, presence) in [
        (&b"Internal good"[..], present),
        (b"internal  good", present),
        (b"Bearer good", Presence::Absent),
        (b"Internal good bad", Presence::Malformed),
        (b"Internal", Presence::Malformed),
    ] {
        assert_eq!(
            method.presence(&parts(&[("authorization", value)])),
            presence,
            "{value:?}"
        );
    }
}

#[test]
fn a_place_with_rules_of_its_own_or_no_name_is_refused() {
    for name in ["authorization", "Cookie", "", "two words", "x:y"] {
        assert!(place::header(name).is_err(), "{name}");
    }
    for name in ["", "a b", "a=b", "a;b", "\u{e9}"] {
        assert!(place::cookie(name).is_err(), "{name}");
    }
    let place = place::authorization(Scheme::BEARER).expect("place");
    let other = crate::Challenge::new(Scheme::BASIC).realm("x").expect("realm");
    assert!(place.with_challenge(other).is_err());
}

#[test]
fn debug_shows_no_credential() {
    let method = authenticate_fn(place::header("x-internal").expect("place"), check);
    let check = method.authenticate_request(&parts(&[("x-internal", b"hunter2")]));
    assert!(!format!("{method:?} {check:?}").contains("hunter2"));
}

/// H9: visible ASCII, of any length, and white space only around it.
#[test]
fn a_field_value_is_visible_ascii_and_nothing_else() {
    async fn length(value: Secret<String>) -> Result<Option<Authentication<usize>>, AuthError> {
        let length = value.expose().len();
        Ok(Some(Authentication::assertion(length, Method::new("test"))))
    }
    let method = authenticate_fn(place::header("x-internal").expect("place"), length);
    let huge = vec![b'~'; 1 << 20];
    for (value, length) in [(&b"!"[..], 1), (b" \t a-b~ \t", 4), (b"a,b", 3), (&huge, 1 << 20)] {
        let request = parts(&[("x-internal", value)]);
        assert_eq!(method.presence(&request), Presence::Present(Delivery::Explicit));
        let found = ready(method.authenticate_request(&request))
            .expect("good")
            .expect("found");
        assert_eq!(found.principal(), &length);
    }
    for broken in [
        &b"a b"[..],
        b"a\tb",
        b"good, good",
        b"\xe9",
        b"\xff",
        b"a\x80",
        b"\t",
        "\u{3000}good".as_bytes(),
        "good\u{a0}".as_bytes(),
    ] {
        let request = parts(&[("x-internal", broken)]);
        assert_eq!(method.presence(&request), Presence::Malformed, "{broken:?}");
        let undecided = ready(method.authenticate_request(&request)).expect("not called");
        assert!(undecided.is_none(), "the function sees nothing of it");
    }
    for control in (0..32).chain([127]).filter(|byte| *byte != b'\t') {
        let value = [b'a', control, b'b'];
        assert!(http::HeaderValue::from_bytes(&value).is_err(), "no field has it");
    }
}
