use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response};
use pin_project_lite::pin_project;
use portcullis_core::{AuthError, append_vary};
use portcullis_tower::csrf::OriginPolicy;
use portcullis_tower::response::refuse;

use crate::session::{Answer, Session};

type Conclusion = Pin<Box<dyn Future<Output = Result<Answer, AuthError>> + Send>>;

pin_project! {
    /// The answer of [`WithSession`](super::WithSession).
    pub struct ResponseFuture<F, R> {
        session: Session,
        was_concerned: bool,
        is_head: bool,
        #[pin]
        state: State<F, R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, R> {
        /// The handler answers.
        Forwarded { #[pin] answer: F },
        /// What it changed is being written; its answer waits.
        Saving { response: Option<Response<R>>, conclusion: Conclusion },
    }
}

impl<F, R> ResponseFuture<F, R> {
    pub(super) const fn new(answer: F, session: Session, was_concerned: bool, is_head: bool) -> Self {
        Self {
            session,
            was_concerned,
            is_head,
            state: State::Forwarded { answer },
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<Bytes>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Forwarded { answer } => {
                    let mut response = ready!(answer.poll(cx))?;
                    if let Some(answer) = this.session.answer_now() {
                        apply(answer, this.session, *this.was_concerned, &mut response);
                        return Poll::Ready(Ok(response));
                    }
                    let session = this.session.clone();
                    this.state.set(State::Saving {
                        response: Some(response),
                        conclusion: Box::pin(async move { session.answer().await }),
                    });
                }
                StateProjection::Saving { response, conclusion } => {
                    // A future that is polled after it was ready stays pending.
                    if response.is_none() {
                        return Poll::Pending;
                    }
                    let concluded = ready!(conclusion.as_mut().poll(cx));
                    let Some(mut response) = response.take() else {
                        return Poll::Pending;
                    };
                    match concluded {
                        Ok(answer) => apply(answer, this.session, *this.was_concerned, &mut response),
                        Err(error) => response = refused(error, *this.is_head),
                    }
                    return Poll::Ready(Ok(response));
                }
            }
        }
    }
}

fn apply<R>(answer: Answer, session: &Session, was_concerned: bool, response: &mut Response<R>) {
    let headers = response.headers_mut();
    if was_concerned {
        append_vary(headers, OriginPolicy::inspected_headers());
    }
    answer.apply(session.settings().cookie.name(), headers);
}

/// In place of an answer that would claim what was not written.
fn refused<R: From<Bytes>>(error: AuthError, is_head: bool) -> Response<R> {
    let response: Response<Bytes> = refuse(error);
    let (mut head, mut content) = response.into_parts();
    if is_head {
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(content.len()));
        content = Bytes::new();
    }
    Response::from_parts(head, R::from(content))
}

impl<F, R> fmt::Debug for ResponseFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
