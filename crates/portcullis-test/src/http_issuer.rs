//! An issuer on a loopback port, with faults to be switched on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use http::{Request, Uri};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use self::listener::SwitchedListener;
use crate::TestIssuer;
use crate::issuer::Document;

mod answer;
mod listener;
mod mode;

pub use self::mode::Mode;

/// A [`TestIssuer`] behind real HTTP on a free loopback port: discovery and key set, every request
/// recorded, [faults](Mode) on demand. It stops when it is dropped.
///
/// No connection is kept alive, so that a changed mode holds for the very next request.
///
/// ```
/// use portcullis_test::{HttpIssuer, Mode};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = HttpIssuer::start().await;
/// let token = server.issuer().token().build(); // its `iss` is server.issuer_url()
/// assert!(server.jwks_url().starts_with("http://127.0.0.1:"));
/// server.set_mode(Mode::Outage).await;
/// assert_eq!(server.jwks_requests(), 0);
/// # assert!(!token.is_empty());
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "the issuer stops when it is dropped"]
pub struct HttpIssuer {
    served: Arc<Served>,
    modes: watch::Sender<Switch>,
    applied: watch::Receiver<u64>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

/// What the server's tasks share with the handle.
#[derive(Debug)]
struct Served {
    issuer: TestIssuer,
    jwks_url: String,
    mode: watch::Receiver<Switch>,
    requests: Mutex<Vec<Request<()>>>,
}

/// A mode and how often it was set before, so that the listener can say which one it has seen.
#[derive(Clone, Debug)]
struct Switch {
    mode: Mode,
    generation: u64,
}

impl HttpIssuer {
    /// Serves a new issuer whose identifier is the server's own address.
    ///
    /// # Panics
    ///
    /// When no loopback port is to be had; outside a tokio runtime with I/O and time.
    pub async fn start() -> Self {
        Self::start_with(TestIssuer::new).await
    }

    /// Serves the issuer that `make` builds from the server's address, `http://127.0.0.1:port`. Its
    /// `jwks_uri` is moved to `/jwks` of this server.
    ///
    /// ```
    /// use portcullis_test::{HttpIssuer, SigningKey, TestIssuer};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let server = HttpIssuer::start_with(|address| {
    ///     TestIssuer::new(&format!("{address}/tenant")).with_key(&SigningKey::rs256("key-1"))
    /// })
    /// .await;
    /// assert!(server.issuer_url().ends_with("/tenant"));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn start_with(make: impl FnOnce(&str) -> TestIssuer) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free loopback port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let issuer = make(&format!("http://{address}"));
        let jwks_url = format!("http://{address}/jwks");
        issuer.set_jwks_uri(&jwks_url);
        let (modes, mode) = watch::channel(Switch {
            mode: Mode::Healthy,
            generation: 0,
        });
        let (listener, applied) = SwitchedListener::new(socket, address, mode.clone());
        let served = Arc::new(Served {
            issuer,
            jwks_url,
            mode,
            requests: Mutex::default(),
        });
        let router = Router::new()
            .fallback(
                |State(served): State<Arc<Served>>, request| async move { served.answer(request).await },
            )
            .with_state(served.clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let server = axum::serve(listener, router).with_graceful_shutdown(async {
                // An error means that the handle was dropped, which stops the server as well.
                let _ = stopped.await;
            });
            server.await.expect("serving never fails");
        });
        Self {
            served,
            modes,
            applied,
            stop: Some(stop),
            task: Some(task),
        }
    }

    /// The issuer that is served: make tokens with it, rotate its keys.
    pub fn issuer(&self) -> &TestIssuer {
        &self.served.issuer
    }

    /// The issuer identifier.
    #[must_use]
    pub fn issuer_url(&self) -> String {
        self.served.issuer.url()
    }

    /// The address of the key set.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        self.served.jwks_url.clone()
    }

    /// Switches to another mode; it holds for every request that is sent after this has returned.
    pub async fn set_mode(&self, mode: Mode) {
        let mut generation = 0;
        self.modes.send_modify(|switch| {
            switch.generation += 1;
            switch.mode = mode;
            generation = switch.generation;
        });
        // An error means that the server is gone, and with it every mode.
        let _ = self
            .applied
            .clone()
            .wait_for(|applied| *applied >= generation)
            .await;
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<()>> {
        self.served.requests().clone()
    }

    /// The targets of all requests so far, in order of arrival.
    #[must_use]
    pub fn request_uris(&self) -> Vec<Uri> {
        self.served
            .requests()
            .iter()
            .map(|request| request.uri().clone())
            .collect()
    }

    /// How many requests for the key set have arrived.
    #[must_use]
    pub fn jwks_requests(&self) -> usize {
        self.count(Document::Jwks)
    }

    /// How many requests for the discovery document have arrived, in either form of its path.
    #[must_use]
    pub fn discovery_requests(&self) -> usize {
        self.count(Document::Discovery)
    }

    /// Stops accepting, waits for the answers under way, and returns.
    pub async fn stop(mut self) {
        self.stop = None;
        if let Some(task) = self.task.take() {
            task.await.expect("the server does not panic");
        }
    }

    fn count(&self, document: Document) -> usize {
        let is_document = |uri: &Uri| self.served.issuer.document_at(uri.path()) == Some(document);
        self.request_uris().iter().filter(|uri| is_document(uri)).count()
    }
}

impl Served {
    fn requests(&self) -> MutexGuard<'_, Vec<Request<()>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, request: Request<()>) {
        self.requests().push(request);
    }
}

#[cfg(test)]
mod tests;
