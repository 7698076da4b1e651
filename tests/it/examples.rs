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
