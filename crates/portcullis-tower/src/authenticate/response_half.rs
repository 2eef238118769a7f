use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, Entry, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use portcullis_core::{
    AuthError, AuthenticateRequest, Authentication, Delivery, Outcome, append_vary, ensure_private,
};

use super::layer::Shared;
use crate::refusal::{refusal_of, restyle, unrendered};
use crate::response::Form;
use crate::{csrf, grpc};

/// What the layer does to answers on their way out.
impl<A: AuthenticateRequest> Shared<A> {
    pub(super) fn outcome(
        &self,
        authentication: Option<Arc<Authentication<A::Principal>>>,
    ) -> Outcome<A::Principal> {
        let challenges = self.method.challenges().clone();
        match authentication {
            Some(authentication) => Outcome::authenticated(authentication, challenges),
            None => Outcome::anonymous(challenges),
        }
    }

    /// Finishes what the inner service answered.
    pub(super) fn answered<R: From<Bytes>>(
        &self,
        mut response: Response<R>,
        outcome: Option<&Outcome<A::Principal>>,
        delivery: Option<Delivery>,
        form: Form,
    ) -> Response<R> {
        // In this order: what is not shared any more is not decided in between.
        let shared = outcome.is_some_and(Outcome::may_yet_be_asked);
        let decided = outcome.and_then(Outcome::now);
        // Nothing yet: nobody asked, and the answer depends on no credentials, unless its body still asks.
        let pending = shared && decided.is_none();
        let caller = match &decided {
            Some(Ok(authentication)) => authentication.as_deref(),
            Some(Err(_)) | None => None,
        };
        self.complete(&mut response, caller);
        if response.extensions().get::<AuthError>().is_some() {
            // Whatever a layer in between says about caches in general.
            let headers = response.headers_mut();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if form == Form::Grpc
            && let Some(error) = unrendered(&response).cloned()
        {
            response = restyle(response, &error, grpc::status(&error));
        }
        if decided.is_some() || pending {
            self.vary(response.headers_mut(), delivery);
        }
        if pending && delivery.is_some() {
            self.keep_private(response.headers_mut(), delivery);
        }
        if let Some(caller) = caller {
            caller.effects().apply(response.headers_mut());
            self.keep_private(response.headers_mut(), delivery);
        }
        response
    }

    /// Gives a refusal that a handler made up what only the layer knows: the challenges of the place and
    /// the scheme of the caller.
    fn complete<R>(&self, response: &mut Response<R>, caller: Option<&Authentication<A::Principal>>) {
        let made_up = refusal_of(response).filter(|error| {
            error.challenges().is_none() && !response.headers().contains_key(WWW_AUTHENTICATE)
        });
        let Some(error) = made_up else {
            return;
        };
        let mut error: AuthError = error.clone().or_challenges(self.method.challenges());
        if let (None, Some(scheme)) = (error.scheme(), caller.and_then(Authentication::scheme)) {
            error = error.with_scheme(scheme.clone());
        }
        error.write_headers(response.headers_mut());
        response.extensions_mut().insert(error);
    }

    /// Lists what the verdict read.
    pub(super) fn vary(&self, headers: &mut HeaderMap, delivery: Option<Delivery>) {
        let inspected = self.method.inspected_headers();
        if delivery != Some(Delivery::Ambient) {
            return append_vary(headers, inspected);
        }
        let names = inspected.iter().chain(&csrf::INSPECTED);
        let Entry::Vacant(entry) = headers.entry(VARY) else {
            return append_vary(headers, names);
        };
        // Where nobody said anything before, the line is the same every time.
        if let Some(line) = self.ambient_vary.get_or_init(|| vary_line(names)) {
            entry.insert(line.clone());
        }
    }

    /// Shared caches keep answers to `Authorization` out by themselves, but to nothing else.
    fn keep_private(&self, headers: &mut HeaderMap, delivery: Option<Delivery>) {
        let by_authorization_alone =
            delivery == Some(Delivery::Explicit) && self.method.inspected_headers() == [AUTHORIZATION];
        if !by_authorization_alone {
            ensure_private(headers);
        }
    }
}

/// The line of an answer that has none.
fn vary_line<'n>(names: impl Iterator<Item = &'n HeaderName> + Clone) -> Option<HeaderValue> {
    let mut headers = HeaderMap::new();
    append_vary(&mut headers, names);
    headers.remove(VARY)
}
