//! Serves one of the routers over HTTP on a free port of 127.0.0.1, prints the port, and goes on until
//! it is stopped.

use std::convert::Infallible;

use axum::ServiceExt;
use axum::extract::Request;
use axum::response::Response;
use portcullis_bench::servers;
use tokio::net::TcpListener;
use tower::Service;

pub(crate) fn run(words: &[&str]) {
    // A peer may want a runtime of its own when it starts, so it is built outside of the server's.
    match words {
        ["bare"] => run_until_stopped(serve(servers::bare())),
        ["ours", what] => run_until_stopped(serve(servers::ours(what))),
        #[cfg(feature = "peers")]
        ["bare07"] => run_until_stopped(serve07(servers::bare07())),
        #[cfg(feature = "peers")]
        ["jwt-authorizer"] => run_until_stopped(serve07(servers::jwt_authorizer())),
        #[cfg(feature = "peers")]
        [peer] => run_until_stopped(serve(servers::peer(peer))),
        _ => panic!("nothing is called {words:?}"),
    }
}

/// One thread for the server; the load comes from another process on another core.
fn run_until_stopped(server: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(server);
}

async fn listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address").port());
    listener
}

async fn serve<S>(app: S)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    axum::serve(listener().await, app.into_make_service())
        .await
        .expect("serves");
}

#[cfg(feature = "peers")]
async fn serve07<S>(app: S)
where
    S: Service<axum07::extract::Request, Response = axum07::response::Response, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let app = axum07::ServiceExt::<axum07::extract::Request>::into_make_service(app);
    axum07::serve(listener().await, app).await.expect("serves");
}
