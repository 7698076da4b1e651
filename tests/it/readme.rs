//! The Rust code of the README compiles and works: it is the example `quickstart`, and what stands here between the marks, but
//! for white space and comments.

use std::{error::Error, time::Duration};

use workos_emulator::Emulator;

#[actix_web::test]
async fn the_emulator_works_as_the_readme_shows() -> Result<(), Box<dyn Error>> {
    // <README>
    let emulator = Emulator::start().await?;
    let acme = emulator.organization("Acme").create()?;
    let alice = emulator
        .user("alice@acme.com")
        .password("seven quiet lighthouses")
        .member_of(&acme, "member")
        .create()?;
    let tokens = emulator.sign_in(&alice).await?;
    emulator.clock().advance(Duration::from_secs(600));
    // </README>
    assert_eq!(tokens.organization_id, Some(acme.id));
    Ok(())
}

/// Code without what a formatter changes.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("//").next().unwrap());
    let code: String = lines.flat_map(str::split_whitespace).collect();
    code.replace(",)", ")")
}

/// The code between two marks.
fn between(text: &str, begin: &str, end: &str) -> Vec<String> {
    let parts = text.split(begin).skip(1);
    parts.map(|part| code(part.split(end).next().unwrap())).collect()
}

#[test]
fn the_readme_has_the_code_that_is_compiled_here() {
    let readme = between(include_str!("../../README.md"), "```rust\n", "```");
    let here = between(include_str!("readme.rs"), "// <README>\n", "// </README>\n");
    let quickstart = code(include_str!("../../examples/quickstart.rs"));
    assert_eq!(here.len(), 1);
    assert_eq!(readme, [quickstart.clone(), here[0].clone()]);
    let guide = between(
        include_str!("../../workos-actix/docs/quick_start.md"),
        "```no_run\n",
        "```",
    );
    assert_eq!(guide, [quickstart]);
}
