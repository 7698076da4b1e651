//! The examples that end by themselves, run as their first lines say.

use std::process::Command;

/// What an example prints.
fn output_of(example: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", "--quiet", "--example", example, "--"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[test]
fn webhooks() {
    let printed = output_of("webhooks", &["--once"]);
    let expected = "dsync.user.created: Person { name: \"Carol Carver\", email: \"carol@acme.example\", role: \"member\", \
        active: true }\nIn the table: Carol Carver, carol@acme.example, member\n";
    assert_eq!(printed, expected);
}

#[test]
fn api() {
    let printed = output_of("api", &["--once"]);
    assert_eq!(printed.matches("\ncurl -i ").count(), 9, "{printed}");
    assert!(
        printed.contains("/documents -H 'Authorization: Bearer sk_"),
        "{printed}"
    );
}

#[test]
fn testing() {
    let printed = output_of("testing", &[]);
    let lines: Vec<_> = printed.lines().collect();
    assert!(lines[0].starts_with("nobody: 401 Unauthorized, {"), "{printed}");
    assert!(lines[1].starts_with("alice: 403 Forbidden, {"), "{printed}");
    assert_eq!(
        lines[2],
        "alice as an editor: 201 Created, written by alice@acme.example"
    );
}
