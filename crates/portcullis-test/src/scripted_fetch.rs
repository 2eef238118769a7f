//! The outbound port, answered from a script.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, Uri};
use portcullis_fetch::{Fetch, FetchError, FetchErrorKind, Limits};
use tokio::sync::watch;

use crate::TestIssuer;
use crate::answer::{self, Answer};

/// A [`Fetch`] without sockets. A clone is the same one.
///
/// A request takes the first answer of the [queue](Self::push); when there is none, what
/// [`always`](Self::always) says; when nothing does, it fails as
/// [`Other`](FetchErrorKind::Other). The answer is chosen when the request arrives, and given at once
/// or when the [hold](Self::hold) ends.
///
/// ```
/// use portcullis_fetch::{Fetch, FetchErrorKind, Limits};
/// use portcullis_test::{ScriptedFetch, TestIssuer, answer};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let issuer = TestIssuer::new("https://issuer.test");
/// let fetch = ScriptedFetch::serving(&issuer);
/// fetch.push(answer::failure(FetchErrorKind::Timeout));
///
/// let request = || http::Request::get("https://issuer.test/jwks").body(Default::default()).unwrap();
/// assert!(fetch.fetch(request(), &Limits::new()).await.is_err());
/// let keys = fetch.fetch(request(), &Limits::new()).await.unwrap();
/// assert_eq!(keys.body(), issuer.jwks().as_bytes());
/// assert_eq!(fetch.arrived(), 2);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct ScriptedFetch(Arc<Inner>);

struct Inner {
    script: Mutex<Script>,
    arrived: watch::Sender<usize>,
    answered: watch::Sender<usize>,
    holds: watch::Sender<usize>,
}

#[derive(Default)]
struct Script {
    queue: VecDeque<Answer>,
    always: Option<Rule>,
    requests: Vec<Request<Bytes>>,
    limits: Option<Limits>,
}

type Rule = Arc<dyn Fn(&Request<Bytes>) -> Answer + Send + Sync>;

impl ScriptedFetch {
    /// A script without answers.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            script: Mutex::default(),
            arrived: watch::Sender::new(0),
            answered: watch::Sender::new(0),
            holds: watch::Sender::new(0),
        }))
    }

    /// Answers as the issuer does: discovery and key set, as they are at that moment.
    #[must_use]
    pub fn serving(issuer: &TestIssuer) -> Self {
        let fetch = Self::new();
        fetch.serve(issuer);
        fetch
    }

    /// Answers as the issuer does from now on, where the queue says nothing.
    pub fn serve(&self, issuer: &TestIssuer) {
        let issuer = issuer.clone();
        self.always(move |request| Ok(issuer.respond(request)));
    }

    /// Answers by this rule from now on, where the queue says nothing.
    ///
    /// ```
    /// use portcullis_fetch::FetchErrorKind;
    /// use portcullis_test::{ScriptedFetch, answer};
    ///
    /// let fetch = ScriptedFetch::new();
    /// fetch.always(|_| answer::failure(FetchErrorKind::Connect));
    /// fetch.always(|request| match request.uri().path() {
    ///     "/jwks" => answer::json(r#"{"keys":[]}"#),
    ///     _ => answer::status(404),
    /// });
    /// ```
    pub fn always(&self, rule: impl Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static) {
        self.script().always = Some(Arc::new(rule));
    }

    /// Adds an answer to the queue, for one request.
    pub fn push(&self, answer: Answer) {
        self.script().queue.push_back(answer);
    }

    /// How many answers of the queue nobody has asked for yet.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.script().queue.len()
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.script().requests.clone()
    }

    /// The targets of all requests so far, in order of arrival.
    #[must_use]
    pub fn request_uris(&self) -> Vec<Uri> {
        let script = self.script();
        script
            .requests
            .iter()
            .map(|request| request.uri().clone())
            .collect()
    }

    /// The limits of the latest request.
    #[must_use]
    pub fn limits(&self) -> Option<Limits> {
        self.script().limits.clone()
    }

    /// How many requests have arrived.
    #[must_use]
    pub fn arrived(&self) -> usize {
        *self.0.arrived.borrow()
    }

    /// How many requests were answered: those that arrived, less those that are held and those whose
    /// caller went away before the answer.
    #[must_use]
    pub fn answered(&self) -> usize {
        *self.0.answered.borrow()
    }

    /// Waits until `count` requests have arrived since the beginning.
    pub async fn until_arrived(&self, count: usize) {
        until(&self.0.arrived, |arrived| arrived >= count).await;
    }

    /// Waits until `count` requests were answered since the beginning.
    pub async fn until_answered(&self, count: usize) {
        until(&self.0.answered, |answered| answered >= count).await;
    }

    /// Holds every answer back until the handle is [released](Hold::release) or dropped. A hold that is
    /// never released is a server that never answers.
    ///
    /// ```
    /// use portcullis_fetch::{Fetch, Limits};
    /// use portcullis_test::{ScriptedFetch, answer};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let fetch = ScriptedFetch::new();
    /// fetch.push(answer::json("{}"));
    /// let hold = fetch.hold();
    /// let caller = tokio::spawn({
    ///     let fetch = fetch.clone();
    ///     async move { fetch.fetch(http::Request::default(), &Limits::new()).await }
    /// });
    /// fetch.until_arrived(1).await;
    /// assert_eq!(fetch.answered(), 0);
    /// hold.release();
    /// assert!(caller.await.is_ok_and(|answer| answer.is_ok()));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use = "the answers are held only as long as this lives"]
    pub fn hold(&self) -> Hold {
        self.0.holds.send_modify(|holds| *holds += 1);
        Hold(self.clone())
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the request and chooses its answer. The rule runs unlocked, so that it may look at this
    /// script.
    fn choose(&self, request: &Request<Bytes>, limits: &Limits) -> Answer {
        let (queued, always) = {
            let mut script = self.script();
            script.requests.push(request.clone());
            script.limits = Some(limits.clone());
            (script.queue.pop_front(), script.always.clone())
        };
        match (queued, always) {
            (Some(answer), _) => answer,
            (None, Some(rule)) => rule(request),
            (None, None) => answer::failure(FetchErrorKind::Other),
        }
    }
}

impl Default for ScriptedFetch {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Fetch for ScriptedFetch {
    async fn fetch(&self, request: Request<Bytes>, limits: &Limits) -> Result<Response<Bytes>, FetchError> {
        let answer = self.choose(&request, limits);
        self.0.arrived.send_modify(|arrived| *arrived += 1);
        until(&self.0.holds, |holds| holds == 0).await;
        self.0.answered.send_modify(|answered| *answered += 1);
        answer
    }
}

async fn until(sender: &watch::Sender<usize>, reached: impl Fn(usize) -> bool) {
    let mut counts = sender.subscribe();
    let _ = counts
        .wait_for(|count| reached(*count))
        .await
        .expect("the sender outlives this borrow of it");
}

impl fmt::Debug for ScriptedFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedFetch")
            .field("arrived", &self.arrived())
            .field("answered", &self.answered())
            .finish_non_exhaustive()
    }
}

/// Holds the answers of a [`ScriptedFetch`] back; see [`ScriptedFetch::hold`].
#[derive(Debug)]
pub struct Hold(ScriptedFetch);

impl Hold {
    /// Lets the answers go.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.0.holds.send_modify(|holds| *holds -= 1);
    }
}

#[cfg(test)]
mod tests;
