//! What an authenticator app shows.

use super::{EmulatedEnvironment, EmulatorError, User};
use crate::{
    api::multi_factor_auth::factors::{self, FactorKind},
    server::error::ApiError,
};

impl EmulatedEnvironment {
    /// The code that the user's authenticator app shows: of the newest one, by the environment's time.
    ///
    /// A code is good once. If the one of the present 30 seconds was used, this is the next one, which is taken already; after
    /// that, the clock has to move on.
    ///
    /// Tests in other languages give the user a `totp_secret` in the seed, or enroll one by `POST
    /// /user_management/users/{id}/auth_factors`, and compute codes with any TOTP library.
    ///
    /// ```
    /// # async fn second_factor() -> Result<(), workos_emulator::EmulatorError> {
    /// use workos_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// let alice = emulator
    ///     .user("alice@acme.example")
    ///     .password("correct horse battery staple")
    ///     .totp("JBSWY3DPEHPK3PXP")
    ///     .create()?;
    /// // Her password alone does not let her in now: sign-in asks for this code as well.
    /// let code = emulator.totp_code(&alice)?;
    /// assert_eq!(code.len(), 6);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(second_factor()).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the user is gone, or has no authenticator app.
    pub fn totp_code(&self, user: &User) -> Result<String, EmulatorError> {
        let factors = factors::totp_of_user(&self.inner.state(), &user.id);
        match factors.last().map(|factor| &factor.kind) {
            Some(FactorKind::Totp(totp)) => Ok(totp.next_code(self.inner.clock.now())),
            _ => Err(EmulatorError::refused(format!(
                "making a code for {}",
                user.email
            ))(ApiError::not_found(
                "Authentication factor of user",
                &user.id,
            ))),
        }
    }
}
