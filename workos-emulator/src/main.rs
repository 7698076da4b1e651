//! The `workos-emulator` command.

use workos_emulator::Emulator;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder().port(4100).start().await?;
    tracing::info!(url = emulator.url(), "ready");
    tokio::signal::ctrl_c().await?;
    Ok(())
}
