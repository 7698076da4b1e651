//! The smallest HTTP client that keeps its connection: what it costs itself is small beside what it measures.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

/// A whole request with the API key of a new emulator.
pub(crate) fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk_test_default\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

impl Client {
    /// Connects to `http://host:port`.
    pub(crate) fn connect(url: &str) -> Self {
        let address = url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).expect("a server listens");
        stream.set_nodelay(true).expect("a connected socket");
        Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            body: Vec::new(),
        }
    }

    /// Sends a request and reads the body of the answer, which has to have this status.
    pub(crate) fn exchange(&mut self, request: &str, status: u16) -> &[u8] {
        self.answered(request, status);
        &self.body
    }

    /// The same for an answer in JSON.
    pub(crate) fn json(&mut self, request: &str, status: u16) -> Value {
        serde_json::from_slice(self.exchange(request, status)).expect("JSON")
    }

    /// Sends a request whose answer is a redirection, and returns where to.
    pub(crate) fn location(&mut self, request: &str) -> String {
        self.answered(request, 302).expect("a Location")
    }

    /// Reads one answer; returns its `Location`.
    fn answered(&mut self, request: &str, status: u16) -> Option<String> {
        let stream = self.stream.get_mut();
        stream.write_all(request.as_bytes()).expect("the server reads");
        let (mut length, mut location) = (0, None);
        let first = self.line();
        assert!(first.starts_with(&format!("HTTP/1.1 {status} ")), "{first}");
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().expect("a length"),
                "location" => location = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("a whole body");
        location
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("an answer");
        line
    }
}
