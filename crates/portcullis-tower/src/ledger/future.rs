use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;
use portcullis_core::Ledger;

use super::judge::{Told, Verdict, judge};
use super::layer::Mode;
use crate::response;

pin_project! {
    /// The answer of [`KeepLedger`](super::KeepLedger).
    pub struct ResponseFuture<F> {
        #[pin]
        answer: F,
        judged: Option<(Ledger, Mode)>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn unjudged(answer: F) -> Self {
        Self { answer, judged: None }
    }

    pub(super) const fn judged(answer: F, ledger: Ledger, mode: Mode) -> Self {
        Self {
            answer,
            judged: Some((ledger, mode)),
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<Bytes>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.answer.poll(cx))?;
        let Some((ledger, mode)) = this.judged.take() else {
            return Poll::Ready(Ok(answer));
        };
        Poll::Ready(Ok(match judge(&answer, &ledger, mode) {
            Verdict::Pass => answer,
            Verdict::Tell => {
                answer.extensions_mut().insert(Told);
                answer
            }
            Verdict::Withhold(error) => response::withheld(error, ledger.method()),
        }))
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
