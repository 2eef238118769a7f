use std::future::{Ready, ready};

use http::Request;
use http::header::{AUTHORIZATION, COOKIE};

use super::*;
use crate::{AuthErrorKind, Challenge, Examination, Method, Scheme, examine};

/// A method that is present when a header holds a value that starts with its name.
struct Fake {
    name: &'static str,
    header: HeaderName,
    delivery: Delivery,
    challenges: Challenges,
    inspected: [HeaderName; 1],
}

fn fake(name: &'static str, header: &'static str, delivery: Delivery) -> Fake {
    let header = HeaderName::from_static(header);
    let challenge = Challenge::new(Scheme::new(name).expect("scheme"))
        .realm("r")
        .expect("realm");
    Fake {
        name,
        inspected: [header.clone()],
        header,
        delivery,
        challenges: Challenges::new([challenge]).expect("challenges"),
    }
}

impl AuthenticateRequest for Fake {
    type Principal = &'static str;
    type Future = Ready<Result<Option<Authentication<&'static str>>, AuthError>>;

    fn presence(&self, parts: &Parts) -> Presence {
        match parts.headers.get(&self.header).map(|value| value.as_bytes()) {
            Some(value) if value.starts_with(self.name.as_bytes()) => Presence::Present(self.delivery),
            Some(b"garbage") => Presence::Malformed,
            _ => Presence::Absent,
        }
    }

    fn authenticate_request(&self, parts: &Parts) -> Self::Future {
        let bad = parts
            .headers
            .get(&self.header)
            .is_some_and(|value| value.as_bytes().ends_with(b"bad"));
        ready(if bad {
            Err(AuthError::invalid_credentials("bad"))
        } else {
            Ok(Some(Authentication::assertion(self.name, Method::new("fake"))))
        })
    }

    fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    fn inspected_headers(&self) -> &[HeaderName] {
        &self.inspected
    }
}

fn methods() -> AnyOf<(Fake, Fake, Fake, Fake)> {
    any_of((
        fake("session", "cookie", Delivery::Ambient),
        fake("cert", "x-cert", Delivery::Ambient),
        fake("key", "x-api-key", Delivery::Explicit),
        fake("Bearer", "authorization", Delivery::Explicit),
    ))
}

fn decide(headers: &[(&'static str, &'static str)]) -> Result<Option<&'static str>, AuthErrorKind> {
    let mut request = Request::new(());
    for (name, value) in headers {
        request
            .headers_mut()
            .append(*name, value.parse().expect("header value"));
    }
    let (parts, ()) = request.into_parts();
    let methods = methods();
    match examine(&methods, &parts) {
        Examination::Anonymous => Ok(None),
        Examination::Refused(error) => Err(error.kind()),
        Examination::Present(_) => {
            let check = methods.authenticate_request(&parts);
            let mut context = Context::from_waker(std::task::Waker::noop());
            match std::pin::pin!(check).poll(&mut context) {
                Poll::Ready(Ok(found)) => Ok(found.map(|found| *found.principal())),
                Poll::Ready(Err(error)) => Err(error.kind()),
                Poll::Pending => panic!("ready checks only"),
            }
        }
    }
}

#[test]
fn exactly_one_method_decides() {
    use AuthErrorKind::{InvalidCredentials, InvalidRequest};
    let table: [(&[(&'static str, &'static str)], _); 16] = [
        (&[], Ok(None)),
        (&[("cookie", "session 1")], Ok(Some("session"))),
        (
            &[("x-cert", "cert"), ("cookie", "session 1")],
            Ok(Some("session")),
        ),
        (&[("x-cert", "cert")], Ok(Some("cert"))),
        (&[("x-api-key", "key")], Ok(Some("key"))),
        (&[("x-api-key", "key"), ("cookie", "session 1")], Ok(Some("key"))),
        // An ambient credential beside an explicit one is not even looked at.
        (
            &[("x-api-key", "key"), ("cookie", "session bad")],
            Ok(Some("key")),
        ),
        // No falling through to the session when the key is bad.
        (
            &[("x-api-key", "key bad"), ("cookie", "session 1")],
            Err(InvalidCredentials),
        ),
        (
            &[("x-api-key", "key"), ("authorization", "Bearer x")],
            Err(InvalidRequest),
        ),
        (
            &[("x-api-key", "garbage"), ("cookie", "session 1")],
            Err(InvalidRequest),
        ),
        (&[("authorization", "Basic dTpw")], Ok(None)),
        // A scheme we ask for, with something no method recognises.
        (&[("authorization", "key abc")], Err(InvalidCredentials)),
        (&[("authorization", "key")], Err(InvalidRequest)),
        // The same beside other credentials: neither a cookie nor a key takes its place.
        (
            &[("authorization", "Bearer"), ("cookie", "session 1")],
            Ok(Some("Bearer")),
        ),
        (
            &[("authorization", "key abc"), ("cookie", "session 1")],
            Err(InvalidCredentials),
        ),
        (
            &[("authorization", "session abc"), ("x-api-key", "key")],
            Err(InvalidRequest),
        ),
    ];
    for (headers, expected) in table {
        assert_eq!(decide(headers), expected, "{headers:?}");
    }
}

#[test]
fn challenges_and_inspected_headers_are_merged() {
    let methods = methods();
    let schemes: Vec<_> = methods.challenges().iter().map(|c| c.scheme().as_str()).collect();
    assert_eq!(schemes, ["Bearer", "session", "cert", "key"]);
    assert_eq!(methods.inspected_headers().len(), 4);
    assert!(methods.inspected_headers().contains(&AUTHORIZATION));
    assert!(methods.inspected_headers().contains(&COOKIE));
}

/// H9, B5: the last of eight is asked like the first, and any two explicit ones are too many.
#[test]
fn each_of_eight_methods_decides_when_it_alone_is_present() {
    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const HEADERS: [&str; 8] = ["x-a", "x-b", "x-c", "x-d", "x-e", "x-f", "x-g", "x-h"];
    let explicit = |index: usize| fake(NAMES[index], HEADERS[index], Delivery::Explicit);
    let methods = any_of((
        explicit(0),
        explicit(1),
        explicit(2),
        explicit(3),
        explicit(4),
        explicit(5),
        explicit(6),
        explicit(7),
    ));
    assert_eq!(methods.challenges().iter().count(), 8);
    assert_eq!(methods.inspected_headers().len(), 8);
    let presence = |present: &[usize]| {
        let mut request = Request::new(());
        for index in present {
            let value = NAMES[*index].parse().expect("header value");
            request.headers_mut().append(HEADERS[*index], value);
        }
        let (parts, ()) = request.into_parts();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let decided_by = match std::pin::pin!(methods.authenticate_request(&parts)).poll(&mut context) {
            Poll::Ready(Ok(Some(found))) => Some(*found.principal()),
            _ => None,
        };
        (methods.presence(&parts), decided_by)
    };
    assert_eq!(presence(&[]).0, Presence::Absent);
    for (one, name) in NAMES.into_iter().enumerate() {
        let alone = (Presence::Present(Delivery::Explicit), Some(name));
        assert_eq!(presence(&[one]), alone);
        for other in (0..8).filter(|other| *other != one) {
            assert_eq!(presence(&[one, other]).0, Presence::Malformed, "{one} {other}");
        }
    }
}
