//! The server in this process, behind a loopback port, with an issuer behind another.

use grpc_example::{routes, verifier};
use portcullis::core::{MemoryRevocations, SystemClock};
use portcullis::{RemoteKeySet, ReqwestFetch};
use portcullis_test::{HttpIssuer, Mode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};

pub(crate) const AUDIENCE: &str = "https://api.example.test";
/// Every scope there is.
pub(crate) const EVERY_SCOPE: &str = "documents:read documents:delete documents:comment account";

/// A running server and its issuer. Both stop when it is dropped.
pub(crate) struct Api {
    pub(crate) channel: Channel,
    pub(crate) issuer: HttpIssuer,
    server: JoinHandle<()>,
}

impl Api {
    pub(crate) async fn start() -> Self {
        Self::with_revocations(MemoryRevocations::new()).await
    }

    /// A server whose issuer has not been reachable since it started: no token can be decided about.
    pub(crate) async fn start_without_issuer() -> Self {
        let api = Self::start().await;
        api.issuer.set_mode(Mode::Refused).await;
        api
    }

    pub(crate) async fn with_revocations(revocations: MemoryRevocations) -> Self {
        let issuer = HttpIssuer::start().await;
        let url = issuer.issuer_url();
        let keys = RemoteKeySet::discover(&*url)
            .allow_http_loopback()
            .fetch(ReqwestFetch::new().expect("a client"))
            .build()
            .expect("a key set");
        let clock = SystemClock::new();
        let verifier = verifier(&url, keys, AUDIENCE, revocations.clone(), clock).expect("a verifier");
        let routes = routes(verifier, revocations, clock).await.expect("routes");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move {
            let incoming = TcpIncoming::from(listener);
            let served = Server::builder().add_routes(routes).serve_with_incoming(incoming);
            served.await.expect("it serves");
        });
        let endpoint = Endpoint::from_shared(origin).expect("an origin");
        Self {
            channel: endpoint.connect().await.expect("it listens"),
            issuer,
            server,
        }
    }

    /// A good token of `subject`.
    pub(crate) fn token(&self, subject: &str, scope: &str) -> String {
        self.issuer.issuer().token().subject(subject).scope(scope).build()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}
