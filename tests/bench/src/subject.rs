//! Something that is measured, one call at a time.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response, StatusCode};
use tower::{Service, ServiceExt};

/// Something that is measured. `prepare` is not, `call` is.
pub trait Subject {
    /// Makes ready for so many calls.
    fn prepare(&mut self, calls: usize);

    /// One call.
    fn call(&mut self);
}

/// Requests to a service in this process: no sockets, no runtime.
///
/// As `axum::serve` does, each request goes to a clone of the service. The answer is dropped within the
/// measurement, its body unread.
pub struct InProcess<S, B> {
    service: S,
    request: Box<dyn Fn() -> Request<B>>,
    status: StatusCode,
    ready: Vec<Request<B>>,
}

impl<S, B, R> InProcess<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone,
{
    /// Makes sure that the service answers with `status`, or else nothing is measured.
    pub fn new(service: S, status: StatusCode, request: impl Fn() -> Request<B> + 'static) -> Self {
        let mut subject = Self {
            service,
            request: Box::new(request),
            status,
            ready: Vec::new(),
        };
        // Whatever is done once is done now.
        subject.prepare(100);
        (0..100).for_each(|_| assert_eq!(subject.answer().status(), subject.status));
        subject
    }

    fn answer(&mut self) -> Response<R> {
        let request = self.ready.pop().expect("a prepared request");
        let answer = pin!(self.service.clone().oneshot(request));
        match answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => response,
            Poll::Ready(Err(never)) => match never {},
            Poll::Pending => panic!("the answer waits for something"),
        }
    }
}

impl<S, B, R> Subject for InProcess<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible> + Clone,
{
    fn prepare(&mut self, calls: usize) {
        self.ready.clear();
        self.ready.extend((0..calls).map(|_| (self.request)()));
    }

    fn call(&mut self) {
        let response = self.answer();
        assert_eq!(response.status(), self.status);
        drop(black_box(response));
    }
}
