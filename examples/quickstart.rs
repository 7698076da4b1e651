//! Sign-in with the real WorkOS, or with `workos-emulator --port 4100` and `WORKOS_API_HOSTNAME=localhost`,
//! `WORKOS_API_PORT=4100`, `WORKOS_API_HTTPS=false`. What is missing in the environment is said at start.

use actix_web::{App, HttpServer, web};
use workos_actix::{AuthKit, AuthUser};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let authkit = AuthKit::from_env()?;
    HttpServer::new(move || {
        App::new()
            .wrap(authkit.middleware())
            .configure(authkit.routes())
            .route(
                "/",
                web::get().to(|user: AuthUser| async move { format!("Hello, {}!", user.email()) }),
            )
    })
    .bind(("127.0.0.1", 3000))?
    .run()
    .await?;
    Ok(())
}
