use std::fmt;

use bytes::Bytes;
use http::header::{
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, HeaderMap, LAST_MODIFIED, RETRY_AFTER, TRAILER, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderName, Response};
use portcullis_core::AuthError;

/// A style in which refusals are shown. Implemented for closures and for tuples: the first that would render
/// a request does.
///
/// ```
/// use bytes::Bytes;
/// use http::{Response, request::Parts};
/// use portcullis_tower::{RefusalLayer, Rendering};
///
/// // Plain text for whoever asks for it.
/// let style = |request: &Parts| {
///     let wanted = request.headers.get("accept").is_some_and(|accept| accept == "text/plain");
///     wanted.then(|| {
///         Rendering::new(|error| {
///             let mut response = Response::new(Bytes::from(format!("{error}\n")));
///             *response.status_mut() = error.status();
///             Some(response)
///         })
///     })
/// };
/// let layer = RefusalLayer::new(style);
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no style of refusals",
    note = "use `SignInRedirect` or `Grpc`, a tuple of styles, a closure `|request: &Parts| -> Option<Rendering>`, or \
            implement `RefusalStyle`"
)]
pub trait RefusalStyle: Send + Sync + 'static {
    /// How a refusal of this request would be rendered; `None` when it is left as it is. Called for every
    /// request, also for those that are not refused: keep what is needed of the head and no more.
    fn rendering(&self, request: &Parts) -> Option<Rendering>;
}

impl<F> RefusalStyle for F
where
    F: Fn(&Parts) -> Option<Rendering> + Send + Sync + 'static,
{
    fn rendering(&self, request: &Parts) -> Option<Rendering> {
        self(request)
    }
}

impl<A: RefusalStyle, B: RefusalStyle> RefusalStyle for (A, B) {
    fn rendering(&self, request: &Parts) -> Option<Rendering> {
        self.0.rendering(request).or_else(|| self.1.rendering(request))
    }
}

/// Renders the refusal of one request.
pub struct Rendering(Render);

type Render = Box<dyn FnOnce(&AuthError) -> Option<Response<Bytes>> + Send>;

impl Rendering {
    /// A rendering that looks at the refusal and may still leave it as it is (`None`).
    pub fn new(render: impl FnOnce(&AuthError) -> Option<Response<Bytes>> + Send + 'static) -> Self {
        Self(Box::new(render))
    }

    pub(super) fn render(self, error: &AuthError) -> Option<Response<Bytes>> {
        (self.0)(error)
    }
}

impl fmt::Debug for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rendering(<fn>)")
    }
}

/// In the extensions of an answer that was rendered.
#[derive(Clone, Copy)]
struct Rendered;

/// The refusal that an answer is, with the status that the wire table gives it.
pub(crate) fn refusal_of<R>(response: &Response<R>) -> Option<&AuthError> {
    let error = response.extensions().get::<AuthError>()?;
    (error.status() == response.status()).then_some(error)
}

/// The same, unless somebody has rendered it already, in a style that may have kept the status.
pub(crate) fn unrendered<R>(response: &Response<R>) -> Option<&AuthError> {
    let rendered = response.extensions().get::<Rendered>().is_some();
    refusal_of(response).filter(|_| !rendered)
}

/// What an answer says about its body, and another body makes wrong.
const ABOUT_THE_BODY: [HeaderName; 13] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LOCATION,
    CONTENT_DISPOSITION,
    CONTENT_RANGE,
    // RFC 9530
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    ETAG,
    LAST_MODIFIED,
    TRAILER,
];

/// Puts a rendering in the place of a refusal.
pub(crate) fn restyle<R: From<Bytes>>(
    refused: Response<R>,
    error: &AuthError,
    rendered: Response<Bytes>,
) -> Response<R> {
    let (mut head, _) = refused.into_parts();
    let (rendered, body) = rendered.into_parts();
    for name in ABOUT_THE_BODY {
        head.headers.remove(name);
    }
    if rendered.status != head.status {
        head.headers.remove(WWW_AUTHENTICATE);
        head.headers.remove(RETRY_AFTER);
    }
    head.status = rendered.status;
    take_over(&mut head.headers, rendered.headers);
    head.extensions.extend(rendered.extensions);
    error.write_common_headers(&mut head.headers);
    head.extensions.insert(error.clone());
    head.extensions.insert(Rendered);
    Response::from_parts(head, R::from(body))
}

/// Adds the fields of a rendering; those that it sets itself win, cookies and `Vary` add up.
fn take_over(headers: &mut HeaderMap, rendered: HeaderMap) {
    use http::header::{SET_COOKIE, VARY};

    let mut name = None;
    for (next, value) in rendered {
        let first = next.is_some();
        name = next.or(name);
        let Some(name) = &name else { continue };
        if first && *name != SET_COOKIE && *name != VARY {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
}
