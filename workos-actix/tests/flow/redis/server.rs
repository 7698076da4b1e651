//! A Redis of one's own: a real `redis-server`, to be killed, restarted and stopped in the middle of its work.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use tokio::time::Instant;
use workos_actix::RedisSharedState;

const PATIENCE: Duration = Duration::from_secs(20);
const MISSING: &str = "these tests need a real Redis, and `redis-server` is not on the PATH: install it with \
                       `apt-get install redis-server` or `brew install redis`";

/// What is left of the data after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// `appendonly yes`: everything that was confirmed.
    Kept,
    /// Nothing.
    Lost,
}

pub(crate) struct RedisServer {
    process: Child,
    port: u16,
    folder: PathBuf,
    data: Data,
}

impl RedisServer {
    pub(crate) fn start(data: Data) -> Self {
        loop {
            let port = free_port();
            let folder = std::env::temp_dir().join(format!("workos-actix-redis-{port}"));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            let mut server = Self {
                process: spawn(port, &folder, data),
                port,
                folder,
                data,
            };
            if server.is_ready() {
                return server;
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) async fn connect(&self) -> RedisSharedState {
        RedisSharedState::connect(&self.url()).await.unwrap()
    }

    /// Ends it without a warning.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn restart(&mut self) {
        self.process = spawn(self.port, &self.folder, self.data);
        assert!(self.is_ready(), "redis-server does not start again");
    }

    /// From now on it takes connections and commands, and answers nothing.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([format!("-{signal}"), self.process.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Everything it knows, as text.
    pub(crate) fn dump(&self) -> String {
        self.command(&["EVAL", DUMP, "0"])
    }

    /// How often a command was run.
    pub(crate) fn calls(&self, command: &str) -> u64 {
        let statistics = self.command(&["INFO", "commandstats"]);
        let calls = statistics
            .split_once(&format!("cmdstat_{command}:calls="))
            .and_then(|(_, rest)| rest.split_once(','));
        calls.map_or(0, |(calls, _)| calls.parse().unwrap())
    }

    pub(crate) fn command(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "--raw"])
            .args(words)
            .output()
            .expect(MISSING);
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until it answers; `false` when it has ended, because somebody else has the port.
    fn is_ready(&mut self) -> bool {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            if self.answers().is_ok_and(|answers| answers) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer");
    }

    fn answers(&self) -> std::io::Result<bool> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        connection.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        connection.read_exact(&mut answer)?;
        Ok(answer == *b"+PONG\r\n")
    }
}

/// Below the range that the system gives to connections, so that the port is free after a restart too.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let mine = u16::try_from(std::process::id() % 800).unwrap();
    loop {
        let port = 20_000 + (mine * 15 + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn spawn(port: u16, folder: &std::path::Path, data: Data) -> Child {
    let appendonly = if data == Data::Kept { "yes" } else { "no" };
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", appendonly, "--loglevel", "warning", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect(MISSING)
}

const DUMP: &str = "local all = {} \
    for _, key in ipairs(redis.call('KEYS', '*')) do \
        all[#all + 1] = key \
        if redis.call('TYPE', key).ok == 'string' then all[#all + 1] = redis.call('GET', key) \
        else for _, entry in ipairs(redis.call('XRANGE', key, '-', '+')) do all[#all + 1] = entry[2][2] end end \
    end return all";
