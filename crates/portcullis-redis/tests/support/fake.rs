//! A server that speaks the protocol of Redis and fails as it is told.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The URL, with a password, of a server that prepares buckets, answers `reply` to every other script, and nothing
/// where `reply` is empty.
pub(crate) async fn fake(reply: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut opened = false;
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, reply, opened));
            opened = true;
        }
    });
    format!("redis://:hunter2@127.0.0.1:{port}/")
}

async fn serve(mut stream: TcpStream, reply: &'static str, mut opened: bool) {
    let (mut buffer, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        while let Some((command, length)) = parsed(&buffer) {
            buffer.drain(..length);
            let answer = match command.as_str() {
                "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n",
                "EVALSHA" | "EVAL" if opened => reply,
                "EVALSHA" => {
                    opened = true;
                    "*2\r\n$2\r\nok\r\n$10\r\nnoeviction\r\n"
                }
                _ => "+OK\r\n",
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(read) => buffer.extend_from_slice(&chunk[..read]),
        }
    }
}

/// The first word of a whole command, and how many bytes it had.
fn parsed(buffer: &[u8]) -> Option<(String, usize)> {
    let mut at = 0;
    let mut header = |mark: u8| {
        let rest = buffer.get(at..)?;
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        assert_eq!(rest[0], mark, "a command");
        let number: usize = std::str::from_utf8(&rest[1..end]).ok()?.parse().ok()?;
        let data = at + end + 2;
        at = if mark == b'$' { data + number + 2 } else { data };
        Some((number, data))
    };
    let (parts, _) = header(b'*')?;
    let mut first = None;
    for _ in 0..parts {
        let (length, data) = header(b'$')?;
        let word = buffer.get(data..data + length)?;
        first.get_or_insert_with(|| String::from_utf8_lossy(word).into_owned());
    }
    (at <= buffer.len()).then_some((first?, at))
}
