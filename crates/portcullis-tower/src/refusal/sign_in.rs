use bytes::Bytes;
use http::header::{ACCEPT, LOCATION};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response};
use portcullis_core::{AuthError, AuthErrorKind, ConfigError, ReturnTo, SIGN_IN_REDIRECT, StepUp};

use super::{RefusalStyle, Rendering};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Sends people to the sign-in page instead of refusing them, and says where they wanted to go.
///
/// # Decision rules
///
/// 1. Only a navigation is redirected: a GET with `Sec-Fetch-Mode: navigate`, and `Sec-Fetch-Dest: document` if
///    that is there; from browsers that send neither, one that accepts `text/html`. Scripts, images and API
///    clients get the refusal itself.
/// 2. Only a refusal that signing in can cure: missing or invalid credentials, or a step-up. A denial is a
///    denial, and an outage an outage. A step-up says what is asked for
///    ([`StepUp::to_query`](portcullis_core::StepUp::to_query)); a page that sends whoever is signed in straight back
///    has to look at it, or it would go round in circles.
/// 3. The target of the request travels as `return_to`, if it is a [`ReturnTo`]. The sign-in page parses it
///    again: whoever wrote the link chose it.
/// 4. A refusal of the sign-in page itself is left alone, or it would go round in circles.
///
/// Put the layer outside the router: inside a nested one, the target is only a part of the path.
#[derive(Clone, Debug)]
#[must_use]
pub struct SignInRedirect {
    page: ReturnTo,
    parameter: Box<str>,
}

impl SignInRedirect {
    /// Redirects to this page, a path of this site.
    ///
    /// # Errors
    ///
    /// When it is no path of this site, has a query, or has characters that browsers encode: the page would not
    /// know itself.
    pub fn to(page: &str) -> Result<Self, ConfigError> {
        let invalid = || ConfigError::new("a sign-in page is a path of this site, such as /sign-in");
        // The characters of a path (RFC 3986 §3.3).
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte);
        if !page.bytes().all(plain) {
            return Err(invalid());
        }
        Ok(Self {
            page: ReturnTo::parse(page).map_err(|error| invalid().with_source(error))?,
            parameter: "return_to".into(),
        })
    }

    /// Names the query parameter that says where to return to; `return_to` unless called.
    ///
    /// # Errors
    ///
    /// When the name has other characters than letters, digits, `-` and `_`.
    pub fn parameter(mut self, name: &str) -> Result<Self, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(ConfigError::new(
                "a query parameter's name here has letters, digits, `-` and `_` only",
            ));
        }
        self.parameter = name.into();
        Ok(self)
    }

    /// What the page is told about the way back.
    fn way_back(&self, request: &Parts) -> String {
        let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
        match ReturnTo::parse(target) {
            Ok(place) => format!("{}={}", self.parameter, place.to_query_value()),
            Err(_) => String::new(),
        }
    }
}

impl RefusalStyle for SignInRedirect {
    fn rendering(&self, request: &Parts) -> Option<Rendering> {
        if !is_navigation(request) || request.uri.path() == self.page.as_str() {
            return None;
        }
        let (page, way_back) = (self.page.clone(), self.way_back(request));
        Some(Rendering::new(move |error| redirect(error, &page, way_back)))
    }
}

fn redirect(error: &AuthError, page: &ReturnTo, way_back: String) -> Option<Response<Bytes>> {
    let curable = matches!(
        error.kind(),
        AuthErrorKind::MissingCredentials | AuthErrorKind::InvalidCredentials | AuthErrorKind::StepUpRequired
    );
    if !curable {
        return None;
    }
    let asked_for = error.step_up().map(StepUp::to_query).unwrap_or_default();
    let query = [way_back, asked_for].into_iter().filter(|part| !part.is_empty());
    let mut location = page.as_str().to_owned();
    for (part, separator) in query.zip(["?", "&"]) {
        location += separator;
        location += &part;
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = SIGN_IN_REDIRECT;
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::try_from(location).ok()?);
    Some(response)
}

fn is_navigation(request: &Parts) -> bool {
    if request.method != Method::GET {
        return false;
    }
    let header = |name: &HeaderName| request.headers.get(name).map(HeaderValue::as_bytes);
    match (header(&SEC_FETCH_MODE), header(&SEC_FETCH_DEST)) {
        (Some(mode), destination) => mode == b"navigate" && matches!(destination, None | Some(b"document")),
        (None, Some(destination)) => destination == b"document",
        (None, None) => request.headers.get_all(ACCEPT).iter().any(accepts_html),
    }
}

fn accepts_html(value: &HeaderValue) -> bool {
    let is_html = |range: &[u8]| {
        let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(b"text/html"));
        named && !parts.any(is_zero_weight)
    };
    value.as_bytes().split(|byte| *byte == b',').any(is_html)
}

/// `q=0`: anything but this (RFC 9110 §12.4.2).
fn is_zero_weight(parameter: &[u8]) -> bool {
    matches!(parameter, [b'q' | b'Q', b'=', b'0', rest @ ..] if rest.iter().all(|byte| matches!(byte, b'.' | b'0')))
}
