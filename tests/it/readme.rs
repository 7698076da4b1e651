//! The Rust code of the README compiles and works: it is what stands here between the marks, but for white space and
//! comments.

use std::{error::Error, time::Duration};

use actix_web::{App, web};
use workos_actix::{AuthKit, AuthUser};
use workos_emulator::Emulator;

/// Compiles; the variables that it reads are for apps to set.
fn _sign_in() -> Result<(), Box<dyn Error>> {
    let app = {
        // <README>
        let authkit = AuthKit::from_env()?;
        App::new()
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route(
                "/me",
                web::get().to(|user: AuthUser| async move { user.email().to_owned() }),
            )
        // </README>
    };
    drop(app);
    Ok(())
}

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

/// The texts between two marks, without what a formatter changes.
fn between(text: &str, begin: &str, end: &str) -> Vec<String> {
    let parts = text
        .split(begin)
        .skip(1)
        .map(|part| part.split(end).next().unwrap());
    let code = |part: &str| -> String {
        let lines = part.lines().map(|line| line.split("//").next().unwrap());
        let code: String = lines.flat_map(str::split_whitespace).collect();
        code.replace(",)", ")")
    };
    parts.map(code).collect()
}

#[test]
fn the_readme_has_the_code_that_is_compiled_here() {
    let readme = between(include_str!("../../README.md"), "```rust\n", "```");
    let here = between(include_str!("readme.rs"), "// <README>\n", "// </README>\n");
    assert_eq!(readme.len(), 2);
    assert_eq!(here, readme);
}
