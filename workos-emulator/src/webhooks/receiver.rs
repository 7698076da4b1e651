//! A receiver of webhooks whose every answer a test decides.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::sync::{mpsc, oneshot};

/// Listens on loopback and hands each request to the test.
pub(super) struct Receiver {
    pub(super) url: String,
    requests: mpsc::UnboundedReceiver<Received>,
}

/// One request, unanswered.
pub(super) struct Received {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    /// Requests that were unanswered when this one came, with itself.
    pub(super) unanswered: usize,
    /// The how-manieth connection it came by.
    pub(super) connection: usize,
    in_flight: Arc<AtomicUsize>,
    stream: TcpStream,
    closed: oneshot::Receiver<()>,
}

impl Receiver {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        let in_flight = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (sender, in_flight) = (sender.clone(), Arc::clone(&in_flight));
                thread::spawn(move || serve(&stream.unwrap(), connection, &sender, &in_flight));
            }
        });
        Self { url, requests }
    }

    pub(super) async fn next(&mut self) -> Received {
        self.requests.recv().await.unwrap()
    }

    /// The next request, answered with this status. Gives its body.
    pub(super) async fn answer_next(&mut self, status: u16) -> serde_json::Value {
        let received = self.next().await;
        let body = serde_json::from_str(&received.body).unwrap();
        received.answer(status, "");
        body
    }
}

impl Received {
    pub(super) fn answer(self, status: u16, body: &str) {
        let length = body.len();
        self.write(&format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
    }

    /// Answers with these bytes.
    pub(super) fn write(mut self, response: &str) {
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        // The client may have gone away on purpose.
        let _ = self.stream.write_all(response.as_bytes());
    }

    /// Waits until the client has given up.
    pub(super) async fn closed(self) {
        let _ = self.closed.await;
    }
}

fn serve(
    stream: &TcpStream,
    connection: usize,
    requests: &mpsc::UnboundedSender<Received>,
    in_flight: &Arc<AtomicUsize>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    // Dropped with the thread, or with the next request on this connection.
    let mut _open: oneshot::Sender<()>;
    while let Some((headers, body)) = read(&mut reader) {
        let (open, closed) = oneshot::channel();
        _open = open;
        let received = Received {
            headers,
            body,
            unanswered: in_flight.fetch_add(1, Ordering::SeqCst) + 1,
            connection,
            in_flight: Arc::clone(in_flight),
            stream: stream.try_clone().unwrap(),
            closed,
        };
        if requests.send(received).is_err() {
            return;
        }
    }
}

/// Reads a request; nothing at the end of the connection.
fn read(reader: &mut BufReader<TcpStream>) -> Option<(BTreeMap<String, String>, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    assert_eq!(line, "POST /webhooks HTTP/1.1\r\n");
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some((headers, String::from_utf8(body).unwrap()))
}
