//! A listener that can stop listening and come back on the same port.

use std::net::SocketAddr;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use super::{Mode, Switch};

pub(super) struct SwitchedListener {
    socket: Socket,
    address: SocketAddr,
    modes: watch::Receiver<Switch>,
    applied: watch::Sender<u64>,
}

enum Socket {
    Listening(TcpListener),
    /// Bound and not listening: the port stays ours and refuses connections.
    Reserved(TcpSocket),
    Changing,
}

impl SwitchedListener {
    /// Also says which generation of the mode is in force.
    pub(super) fn new(
        socket: TcpListener,
        address: SocketAddr,
        modes: watch::Receiver<Switch>,
    ) -> (Self, watch::Receiver<u64>) {
        let (applied, receiver) = watch::channel(0);
        let listener = Self {
            socket: Socket::Listening(socket),
            address,
            modes,
            applied,
        };
        (listener, receiver)
    }

    fn apply_mode(&mut self) -> Mode {
        let Switch { mode, generation } = self.modes.borrow_and_update().clone();
        let refuse = mode == Mode::Refused;
        // The old socket is closed before the new one is bound.
        self.socket = match std::mem::replace(&mut self.socket, Socket::Changing) {
            Socket::Listening(listener) if refuse => {
                drop(listener);
                Socket::Reserved(self.reserve())
            }
            Socket::Reserved(socket) if !refuse => Socket::Listening(listen(socket)),
            Socket::Changing => Socket::Listening(listen(self.reserve())),
            unchanged => unchanged,
        };
        self.applied.send_replace(generation);
        mode
    }

    fn reserve(&self) -> TcpSocket {
        let socket = TcpSocket::new_v4().expect("the system has sockets");
        socket.set_reuseaddr(true).expect("an address can be used again");
        socket.bind(self.address).expect("the port was ours a moment ago");
        socket
    }

    /// Waits for the next change; for ever once the handle is gone.
    async fn changed(modes: &mut watch::Receiver<Switch>) {
        if modes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn listen(socket: TcpSocket) -> TcpListener {
    socket.listen(1024).expect("a bound socket can listen")
}

impl Listener for SwitchedListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            self.apply_mode();
            let accepted = match &self.socket {
                Socket::Listening(listener) => tokio::select! {
                    () = Self::changed(&mut self.modes) => None,
                    accepted = listener.accept() => accepted.ok(),
                },
                Socket::Reserved(_) | Socket::Changing => {
                    Self::changed(&mut self.modes).await;
                    None
                }
            };
            let Some((stream, peer)) = accepted else {
                continue;
            };
            if self.apply_mode() != Mode::Closed {
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}
