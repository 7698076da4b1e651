//! The command line: reads it, starts the emulator, says where it is, and stops it on a signal.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use serde_json::json;
use workos_emulator::{Emulator, validate_seed};

/// The seed files that are looked for in the current folder, in this order.
const SEED_FILES: [&str; 3] = [
    "workos-emulate.config.yaml",
    "workos-emulate.config.yml",
    "workos-emulate.config.json",
];

/// The WorkOS service on your machine: its API, its hosted pages and its webhooks.
#[derive(Parser)]
#[command(name = "workos-emulator", version, disable_version_flag = true, after_help = AFTER_HELP)]
struct Arguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, short, default_value_t = 4100)]
    port: u16,

    /// Address to listen on; localhost is 127.0.0.1 and ::1
    #[arg(long, default_value = "localhost")]
    host: String,

    /// Seed file, YAML or JSON [default: workos-emulate.config.yaml, .yml or .json, where there is one]
    #[arg(long, short, value_name = "FILE")]
    seed: Option<PathBuf>,

    /// RSA private key (PEM, or a file that has it) that signs access tokens [default: a development key]
    #[arg(
        long,
        value_name = "PEM",
        env = "WORKOS_EMULATE_SIGNING_KEY",
        hide_env_values = true
    )]
    signing_key: Option<String>,

    /// `kid` of the signing key [default: made from the key]
    #[arg(long, env = "WORKOS_EMULATE_KID")]
    kid: Option<String>,

    /// `iss` of access tokens [default: <URL>/user_management/<client id>]
    #[arg(long, value_name = "URL", env = "WORKOS_EMULATE_ISSUER")]
    issuer: Option<String>,

    /// Not built yet, told when given: hosts that redirects may lead to (register redirectUris instead)
    #[arg(
        long,
        value_name = "HOSTS",
        value_delimiter = ',',
        env = "WORKOS_EMULATE_REDIRECT_HOSTS"
    )]
    redirect_hosts: Vec<String>,

    /// Show the hosted sign-in page to every client, not to browsers only
    #[arg(long, short)]
    interactive: bool,

    /// Where clients reach the emulator, when it is not the host that they name
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// Key that /_emulate asks for as X-Emulate-Key
    #[arg(
        long,
        value_name = "KEY",
        env = "WORKOS_EMULATE_CONTROL_KEY",
        hide_env_values = true
    )]
    control_key: Option<String>,

    /// Check the seed file and exit
    #[arg(long)]
    validate_config: bool,

    /// Print one line of JSON instead of the banner
    #[arg(long)]
    json: bool,

    /// Print the version
    #[arg(long, short, action = clap::ArgAction::Version)]
    version: Option<bool>,
}

const AFTER_HELP: &str =
    "Flags win over environment variables. RUST_LOG sets what is logged: RUST_LOG=workos_emulator=debug.";

/// A seed file that was read.
struct SeedFile {
    path: PathBuf,
    text: String,
}

/// Runs the command.
pub(crate) async fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and version come this way too, and are no failures.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .init();
    let done = if arguments.validate_config {
        validate(&arguments)
    } else {
        serve(&arguments).await
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

fn validate(arguments: &Arguments) -> Result<(), String> {
    let seed = seed_file(arguments)?.ok_or("No seed config file found to validate")?;
    warn(&validate_seed(&seed.text).map_err(|invalid| in_file(&seed.path, &invalid))?);
    print("✓ Configuration is valid")
}

async fn serve(arguments: &Arguments) -> Result<(), String> {
    let (seed_path, seed) = seed_file(arguments)?.map(|seed| (seed.path, seed.text)).unzip();
    let mut builder = Emulator::builder().host(&arguments.host).port(arguments.port);
    if !arguments.redirect_hosts.is_empty() {
        warn(&[
            "--redirect-hosts is not built yet: until a redirect URI is registered, any on this machine is allowed".to_owned(),
        ]);
    }
    if let Some(seed) = seed {
        builder = builder.seed(seed);
    }
    if let Some(key) = &arguments.signing_key {
        builder = builder.signing_key(signing_key(key)?);
    }
    if let Some(key_id) = &arguments.kid {
        builder = builder.key_id(key_id);
    }
    if let Some(issuer) = &arguments.issuer {
        builder = builder.issuer(issuer);
    }
    if arguments.interactive {
        builder = builder.interactive(true);
    }
    if let Some(url) = &arguments.public_url {
        builder = builder.public_url(url);
    }
    if let Some(key) = &arguments.control_key {
        builder = builder.control_key(key);
    }
    // Before it starts, so that no signal finds it running and nobody listening.
    let stopped = stop_signal().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let emulator = builder
        .start()
        .await
        .map_err(|error| match (&error, &seed_path) {
            (workos_emulator::EmulatorError::Seed(invalid), Some(path)) => in_file(path, invalid),
            _ => error.to_string(),
        })?;
    warn(emulator.seed_warnings());
    if arguments.json {
        print(&json_line(&emulator))?;
    } else {
        print(&banner(&emulator, seed_path.as_deref()))?;
    }
    stopped.await;
    emulator.stop().await;
    Ok(())
}

/// The seed file that is named, or the first one that lies in the current folder.
fn seed_file(arguments: &Arguments) -> Result<Option<SeedFile>, String> {
    let found = || SEED_FILES.iter().map(PathBuf::from).find(|path| path.exists());
    let Some(path) = arguments.seed.clone().or_else(found) else {
        return Ok(None);
    };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(SeedFile { path, text })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let path = std::path::absolute(&path).unwrap_or(path);
            Err(format!("Seed file not found: {}", path.display()))
        }
        Err(error) => Err(format!("Seed file {} cannot be read: {error}", path.display())),
    }
}

/// The key itself, or what the file of this name has.
fn signing_key(given: &str) -> Result<String, String> {
    if given.contains("-----BEGIN") {
        // Environment variables often carry it on one line.
        return Ok(given.replace("\\n", "\n"));
    }
    fs::read_to_string(given)
        .map_err(|error| format!("--signing-key is neither a PEM key nor a file that can be read: {error}"))
}

fn in_file(path: &Path, invalid: &workos_emulator::InvalidSeed) -> String {
    format!("{}: {invalid}", path.display())
}

fn warn(warnings: &[String]) {
    for warning in warnings {
        let _ = writeln!(io::stderr(), "warning: {warning}");
    }
}

/// `{"url":…,"port":…,"apiKey":…,"health":…}`, in this order: scripts read it with tools that are not JSON parsers.
fn json_line(emulator: &Emulator) -> String {
    format!(
        r#"{{"url":{},"port":{},"apiKey":{},"health":{}}}"#,
        json!(emulator.url()),
        emulator.address().port(),
        json!(emulator.api_key()),
        json!(format!("{}/health", emulator.url())),
    )
}

fn banner(emulator: &Emulator, seed: Option<&Path>) -> String {
    let url = emulator.url();
    let (api_key, client_id) = (emulator.api_key(), emulator.client_id());
    let seeded = match seed {
        None => "nothing; start with --seed FILE, or put workos-emulate.config.yaml here".to_owned(),
        Some(path) => {
            let kinds = emulator.seeded().iter();
            let kinds: Vec<_> = kinds.map(|(kind, count)| format!("{count} {kind}")).collect();
            format!("{} ({})", kinds.join(", "), path.display())
        }
    };
    let authority = url.split_once("://").map_or(url, |(_, authority)| authority);
    let https = url.starts_with("https://");
    let (hostname, port) = match authority.rsplit_once(':') {
        Some((hostname, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (hostname, port),
        _ => (authority, if https { "443" } else { "80" }),
    };
    format!(
        "WorkOS emulator {version} is ready.

  URL        {url}
  API key    {api_key}
  Client id  {client_id}
  Seeded     {seeded}
  Mailbox    {url}/mailbox
  Control    {url}/_emulate

Point your app at it:

  export WORKOS_API_KEY={api_key}
  export WORKOS_CLIENT_ID={client_id}
  export WORKOS_API_BASE_URL={url}
  export WORKOS_API_HOSTNAME={hostname} WORKOS_API_PORT={port} WORKOS_API_HTTPS={https}

Stop it with Ctrl-C.",
        version = env!("CARGO_PKG_VERSION"),
    )
}

/// Prints a line; that nobody reads it any more is told, not a panic.
fn print(line: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| format!("cannot write to standard output: {error}"))
}

/// Resolves on SIGINT or SIGTERM; listens from now on.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves on Ctrl-C; listens from now on.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
