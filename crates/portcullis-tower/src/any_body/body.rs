use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The body of the service inside, or that of a refusal.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    #[derive(Debug)]
    enum Kind<B> {
        Inside { #[pin] body: B },
        Refusal { content: Option<Bytes> },
    }
}

impl<B> ResponseBody<B> {
    pub(super) const fn inside(body: B) -> Self {
        Self {
            kind: Kind::Inside { body },
        }
    }
}

impl<B> From<Bytes> for ResponseBody<B> {
    fn from(content: Bytes) -> Self {
        Self {
            kind: Kind::Refusal {
                content: (!content.is_empty()).then_some(content),
            },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Inside { body } => body.poll_frame(cx),
            KindProjection::Refusal { content } => {
                Poll::Ready(content.take().map(|content| Ok(Frame::data(content))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inside { body } => body.is_end_stream(),
            Kind::Refusal { content } => content.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inside { body } => body.size_hint(),
            Kind::Refusal { content } => {
                let length = content.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
        }
    }
}
