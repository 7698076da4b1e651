//! The `workos-emulator` command, from the outside.
#![expect(clippy::unwrap_used, reason = "what a test needs panics like the test itself")]

mod http;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::Value;

/// A folder of its own for one test, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.0.join(name), text).unwrap();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_workos-emulator"));
        command.current_dir(&self.0).args(arguments);
        for name in ["SIGNING_KEY", "KID", "ISSUER", "REDIRECT_HOSTS", "CONTROL_KEY"] {
            command.env_remove(format!("WORKOS_EMULATE_{name}"));
        }
        command
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn start(&self, arguments: &[&str]) -> Started {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Started { child, out }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Started {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Started {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    /// Asks it to end, and waits until it has.
    fn terminate(&mut self) -> std::process::ExitStatus {
        let killed = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `GET path` with this API key.
fn get(port: u16, path: &str, api_key: &str) -> (u16, Value) {
    let bearer = format!("Bearer {api_key}");
    http::request(
        ([127, 0, 0, 1], port).into(),
        "GET",
        path,
        &[("Authorization", &bearer)],
        "",
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const SEED: &str = "
users:
  - {id: user_ann, email: ann@acme.example, password: secret, email_verified: true}
organizations:
  - {name: Acme, memberships: [{email: ANN@acme.example, role: member}], colour: blue}
connectedAccounts: [{email: ann@acme.example, provider: github}]
";

#[test]
fn prints_the_line_that_scripts_read_and_ends_on_sigterm() {
    let folder = Folder::new("json");
    let mut emulator = folder.start(&["--port", "0", "--json"]);
    let line = emulator.line();
    let json: Value = serde_json::from_str(&line).unwrap();
    let port = u16::try_from(json["port"].as_u64().unwrap()).unwrap();
    assert_eq!(
        line,
        format!(
            "{{\"url\":\"http://localhost:{port}\",\"port\":{port},\"apiKey\":\"sk_test_default\",\
             \"health\":\"http://localhost:{port}/health\"}}\n"
        )
    );
    let (status, body) = get(port, "/health", "");
    assert_eq!((status, &body["status"]), (200, &"ok".into()));
    assert_eq!(emulator.terminate().code(), Some(0));
    // The port is free again.
    TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[test]
fn finds_the_seed_file_of_the_folder_and_tells_what_it_passes_over() {
    let folder = Folder::new("discovery")
        .with("workos-emulate.config.yaml", SEED)
        .with("workos-emulate.config.json", "not read");
    let mut emulator = folder.start(&["-p", "0", "--json"]);
    let json: Value = serde_json::from_str(&emulator.line()).unwrap();
    let port = u16::try_from(json["port"].as_u64().unwrap()).unwrap();
    let (_, user) = get(port, "/user_management/users/user_ann", "sk_test_default");
    assert_eq!(user["email"], "ann@acme.example");
    let (_, memberships) = get(
        port,
        "/user_management/organization_memberships?user_id=user_ann",
        "sk_test_default",
    );
    assert_eq!(memberships["data"][0]["role"]["slug"], "member");
    assert!(emulator.terminate().success());
    let mut warnings = String::new();
    emulator
        .child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut warnings)
        .unwrap();
    assert_eq!(
        warnings,
        "warning: connectedAccounts: not served yet\nwarning: organizations[0].colour: unknown key, passed over\n"
    );
}

#[test]
fn greets_people_with_what_an_app_needs() {
    let folder = Folder::new("banner").with("seed.yml", SEED);
    let mut emulator = folder.start(&["--port=0", "--seed=seed.yml", "--public-url=https://workos.test/"]);
    let banner: String = (0..16).map(|_| emulator.line()).collect();
    for expected in [
        "https://workos.test\n",
        "WORKOS_API_KEY=sk_test_default\n",
        "WORKOS_CLIENT_ID=client_emulate\n",
        "WORKOS_API_HOSTNAME=workos.test WORKOS_API_PORT=443 WORKOS_API_HTTPS=true\n",
        "1 memberships, 1 organizations, 1 users (seed.yml)",
    ] {
        assert!(banner.contains(expected), "{expected} is not in:\n{banner}");
    }
    assert!(emulator.terminate().success());
}

#[test]
fn names_every_problem_of_a_wrong_seed() {
    let folder = Folder::new("wrong").with(
        "seed.yaml",
        "users: [{email: a@b.example, first_name: 1}, {name: Bob}]\norganizations: {}",
    );
    for arguments in [
        &["-s", "seed.yaml", "-p", "0"][..],
        &["-s", "seed.yaml", "--validate-config"],
    ] {
        let output = folder.output(arguments);
        assert_eq!(output.status.code(), Some(1));
        let errors = text(&output.stderr);
        for problem in [
            "users[0].first_name: invalid type: integer `1`, expected a string (got: 1)",
            "users[1].email: is required",
            "organizations: must be a list (got: {})",
        ] {
            assert!(errors.contains(problem), "{problem} is not in:\n{errors}");
        }
        assert!(
            errors.starts_with("seed.yaml: Invalid seed configuration:\n  - "),
            "{errors}"
        );
    }
}

#[test]
fn validates_without_starting() {
    let folder = Folder::new("validate").with("workos-emulate.config.yml", SEED);
    let output = folder.output(&["--validate-config"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "✓ Configuration is valid\n");
    let output = Folder::new("validate-nothing").output(&["--validate-config"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "No seed config file found to validate\n");
}

#[test]
fn names_a_seed_file_that_is_not_there() {
    let folder = Folder::new("missing");
    let output = folder.output(&["--seed", "nowhere.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let expected = format!(
        "Seed file not found: {}\n",
        folder.0.join("nowhere.yaml").display()
    );
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn names_a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Folder::new("busy").output(&["--port", &port, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert!(
        errors.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")),
        "{errors}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn refuses_options_that_it_does_not_know() {
    let folder = Folder::new("options");
    let output = folder.output(&["--colour"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--colour"));
    assert_eq!(folder.output(&["--help"]).status.code(), Some(0));
    let version = folder.output(&["-v"]);
    assert_eq!(
        text(&version.stdout),
        format!("workos-emulator {}\n", env!("CARGO_PKG_VERSION"))
    );
}
