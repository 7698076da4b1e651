//! Machines that are processes of the operating system, one of which dies at the worst moment.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
};

use tokio::task::JoinSet;
use workos_actix::RedisSharedState;

use super::{Data, RedisServer};
use crate::{
    app::TestApp,
    browser::Browser,
    fake_workos::{FakeWorkOs, LIFETIME, TestClock},
};

const REDIS: &str = "MACHINE_REDIS";
const WORKOS: &str = "MACHINE_WORKOS";
const TIME: &str = "MACHINE_TIME";
const AT: &str = "this machine is at ";

/// A machine is this test in a process of its own, which is told where everything is; it ends with its standard input.
/// Here the test starts one, to see that no machine outlives the tests.
#[actix_web::test]
async fn a_machine_ends_with_who_started_it() {
    #[expect(clippy::disallowed_methods, reason = "what its parent tells it")]
    let variable = |name| std::env::var(name);
    if let (Ok(redis), Ok(workos), Ok(time)) = (variable(REDIS), variable(WORKOS), variable(TIME)) {
        return be_a_machine(&redis, workos, time.parse().unwrap()).await;
    }
    let redis = RedisServer::start(Data::Kept);
    let app = TestApp::start().await;
    let mut machine = Process::start(&redis, &app);
    assert_eq!(Browser::new(&machine.url).fetch("/me").await.status, 401);
    drop(machine.process.stdin.take());
    assert!(machine.process.wait().unwrap().success());
}

async fn be_a_machine(redis: &str, workos: String, time: i64) {
    let state = RedisSharedState::connect(redis).await.unwrap();
    let clock = TestClock::new();
    clock.advance(time - clock.seconds());
    let app = TestApp::start_at(
        FakeWorkOs::elsewhere(workos, clock.clone()),
        clock,
        |builder, _| builder.shared_state(state),
    );
    println!("{AT}{}", app.url);
    let end = actix_web::web::block(|| std::io::stdin().read_to_end(&mut Vec::new()));
    end.await.unwrap().unwrap();
}

struct Process {
    process: Child,
    url: String,
    /// Kept open: what a process says to nobody is a failure of it.
    _output: BufReader<ChildStdout>,
}

impl Process {
    fn start(redis: &RedisServer, app: &TestApp) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "redis::processes::a_machine_ends_with_who_started_it",
                "--exact",
                "--nocapture",
            ])
            .env(REDIS, redis.url())
            .env(WORKOS, app.workos.url())
            .env(TIME, app.clock.seconds().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let url = output
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once(AT).map(|(_, url)| url.to_owned()))
            .expect("the machine says where it is");
        Self {
            process,
            url,
            _output: output,
        }
    }

    fn takes_over(&self, browser: &Browser) -> Browser {
        let mut here = Browser::new(&self.url);
        here.cookies.clone_from(&browser.cookies);
        here
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A Redis, an app with somebody signed in whose token has expired since, and two more processes of the app.
async fn processes() -> (RedisServer, TestApp, Browser, Process, Process) {
    let redis = RedisServer::start(Data::Kept);
    let state = redis.connect().await;
    let app = TestApp::start_with(|builder| builder.shared_state(state)).await;
    let browser = app.signed_in().await;
    app.clock.advance(LIFETIME + 1);
    let (one, other) = (Process::start(&redis, &app), Process::start(&redis, &app));
    (redis, app, browser, one, other)
}

#[actix_web::test]
async fn three_processes_refresh_once() {
    let (_redis, app, browser, one, other) = processes().await;
    let mut requests = JoinSet::new();
    for number in 0..30 {
        let mut tab = match number % 3 {
            0 => one.takes_over(&browser),
            1 => other.takes_over(&browser),
            _ => app.takes_over(&browser),
        };
        requests.spawn_local(async move {
            let response = tab.fetch("/me").await;
            (response.status, response.json()["jti"].clone())
        });
    }
    for (status, jti) in requests.join_all().await {
        assert_eq!((status, jti.as_str()), (200, Some("jti_3")));
    }
    assert_eq!(app.workos.counts().refreshes, 1);
}

/// It has asked WorkOS, which has given the session new tokens, and nobody has them. The next machine gets its turn, and,
/// from WorkOS, the same tokens: as in production, which repeats its answer for 30 seconds.
#[actix_web::test]
async fn a_process_that_dies_in_the_middle_of_a_refresh_takes_no_session_with_it() {
    let (_redis, app, browser, mut one, other) = processes().await;
    app.workos.repeat_answers();
    app.workos.hold();
    let mut tab = one.takes_over(&browser);
    let lost = actix_web::rt::spawn(async move { tab.try_fetch("/me").await.is_err() });
    app.workos.refreshes_reach(1).await;
    let mut tab = other.takes_over(&browser);
    let waits = actix_web::rt::spawn(async move {
        let response = tab.fetch("/me").await;
        (response.status, response.json()["jti"].clone(), tab)
    });
    one.kill();
    app.workos.release();
    assert!(lost.await.unwrap());
    let (status, jti, mut tab) = waits.await.unwrap();
    assert_eq!((status, jti.as_str()), (200, Some("jti_3")));
    assert_eq!(tab.fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(app.takes_over(&browser).fetch("/me").await.json()["jti"], "jti_3");
    assert_eq!(app.workos.counts().refreshes, 2);
}
