//! The way to the server. Waiting is bounded everywhere, and what may have been done is not done again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo, ProtocolVersion, PushKind, RedisError,
    ServerErrorKind, Value,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::verb::Verb;

/// How often a script is sent that was surely not run, or whose running twice is no harm.
const ATTEMPTS: u32 = 3;

/// How long to wait for a connection, and for an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) connect: Duration,
    pub(crate) answer: Duration,
}

/// What a script returned: text, or nothing.
pub(crate) type Cell = Option<Vec<u8>>;

pub(crate) enum Link {
    Single(Single),
    #[cfg(feature = "cluster")]
    Cluster(crate::cluster::Cluster),
}

impl Link {
    /// Runs a script and returns what it returned.
    pub(crate) async fn run(&self, verb: &Verb, key: &[u8], arguments: &[&[u8]]) -> Result<Vec<Cell>, Fault> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let fault = match self.attempt(verb, key, arguments).await {
                Ok(value) => return cells(value),
                Err(fault) => fault,
            };
            if attempt >= ATTEMPTS || !self.may_run_again(verb, &fault) {
                return Err(fault);
            }
            self.pause(attempt).await;
        }
    }

    async fn attempt(&self, verb: &Verb, key: &[u8], arguments: &[&[u8]]) -> Result<Value, Fault> {
        match self.send(&command("EVALSHA", &verb.hash, key, arguments)).await {
            // The server does not know the script, and so did not run it. This teaches it.
            Err(Fault::Failed(error)) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.send(&command("EVAL", verb.code, key, arguments)).await
            }
            other => other,
        }
    }

    async fn send(&self, command: &Cmd) -> Result<Value, Fault> {
        match self {
            Self::Single(single) => single.send(command).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.send(command).await,
        }
    }

    fn may_run_again(&self, verb: &Verb, fault: &Fault) -> bool {
        let Fault::Failed(error) = fault else {
            return false;
        };
        let lost = error.kind() == ErrorKind::Io && !error.is_timeout() && !error.is_connection_refusal();
        (verb.reads && lost) || self.was_not_run(error)
    }

    /// Whether a node refused because the bucket is elsewhere, or none was found to ask.
    fn was_not_run(&self, error: &RedisError) -> bool {
        let refused = matches!(
            error.kind(),
            ErrorKind::ClusterConnectionNotFound
                | ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::TryAgain)
        );
        refused && !self.is_single()
    }

    /// Gives a cluster the time to tell where its buckets are.
    async fn pause(&self, attempt: u32) {
        if !self.is_single() {
            tokio::time::sleep(Duration::from_millis(50) * attempt).await;
        }
    }

    const fn is_single(&self) -> bool {
        matches!(self, Self::Single(_))
    }
}

fn command(name: &str, script: &str, key: &[u8], arguments: &[&[u8]]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(1).arg(key);
    for argument in arguments {
        command.arg(*argument);
    }
    command
}

fn cells(value: Value) -> Result<Vec<Cell>, Fault> {
    let Value::Array(values) = value else {
        return Err(Fault::Garbled);
    };
    values.into_iter().map(cell).collect()
}

fn cell(value: Value) -> Result<Cell, Fault> {
    match value {
        Value::BulkString(text) => Ok(Some(text)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Nil => Ok(None),
        _ => Err(Fault::Garbled),
    }
}

/// One server. Its connection is made when it is needed, and anew when it was lost.
pub(crate) struct Single {
    client: Client,
    patience: Patience,
    open: Mutex<Option<Open>>,
}

#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    /// Whether it was lost. Known without sending anything, so the next call goes over another one.
    lost: Arc<AtomicBool>,
}

impl Single {
    /// # Errors
    ///
    /// When the URL is none, or asks for what is not compiled in.
    pub(crate) fn new(url: &str, patience: Patience) -> Result<Self, Fault> {
        let info = url.into_connection_info()?;
        // In this version of the protocol the driver tells when a connection ends.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.set_redis_settings(settings))?;
        Ok(Self {
            client,
            patience,
            open: Mutex::new(None),
        })
    }

    async fn send(&self, command: &Cmd) -> Result<Value, Fault> {
        // The wait for whoever is connecting already counts.
        let open = timeout(self.patience.connect, self.connected()).await;
        let mut open = open.map_err(|_| Fault::NotConnected)??;
        let answer = command.query_async::<Value>(&mut open.connection);
        let fault = match timeout(self.patience.answer, answer).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => Fault::Failed(error),
            Err(_) => Fault::Late,
        };
        if breaks(&fault) {
            open.lost.store(true, Ordering::SeqCst);
        }
        Err(fault)
    }

    async fn connected(&self) -> Result<Open, RedisError> {
        let mut place = self.open.lock().await;
        if let Some(open) = place.as_ref().filter(|open| !open.lost.load(Ordering::SeqCst)) {
            return Ok(open.clone());
        }
        *place = None;
        let open = self.connect().await?;
        *place = Some(open.clone());
        Ok(open)
    }

    async fn connect(&self) -> Result<Open, RedisError> {
        let lost = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&lost);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience.connect))
            .set_response_timeout(Some(self.patience.answer))
            .set_push_sender(move |push: redis::PushInfo| {
                if push.kind == PushKind::Disconnection {
                    told.store(true, Ordering::SeqCst);
                }
                Ok::<_, redis::aio::SendError>(())
            });
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        Ok(Open { connection, lost })
    }
}

/// Whether the connection is of no use any more.
fn breaks(fault: &Fault) -> bool {
    match fault {
        Fault::Failed(error) => {
            let demoted = ErrorKind::Server(ServerErrorKind::ReadOnly);
            matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse) || error.kind() == demoted
        }
        Fault::Late => true,
        Fault::NotConnected | Fault::Garbled | Fault::Buckets => false,
    }
}
