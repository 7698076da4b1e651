//! The profiles of users who came with a bare access token, which has only their id.

use std::{fmt, sync::Arc, time::Duration};

use moka::future::Cache;
use workos::{Client, User};

use crate::{
    AuthContext, AuthError, AuthKit, AuthUser,
    clock::{Clock, unix_seconds},
};

/// A profile is as old as this at most.
const FRESH_SECONDS: i64 = 5 * 60;
const MAX_PROFILES: u64 = 10_000;
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

/// A user as WorkOS knows them; `Gone` when it knows of none with the id.
#[derive(Debug, Clone)]
pub(crate) enum Profile {
    Known(Arc<User>),
    Gone,
}

#[derive(Debug, Clone)]
struct Fetched {
    profile: Profile,
    at: i64,
}

/// A bounded cache in front of `GET /user_management/users/{id}`: one call for any number of requests of a user, and for
/// five minutes. A deleted user is remembered as long: an id is never given out again.
pub(crate) struct Profiles {
    client: Client,
    clock: Arc<dyn Clock>,
    fetched: Cache<String, Fetched>,
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiles")
            .field("fetched", &self.fetched.entry_count())
            .finish_non_exhaustive()
    }
}

impl Profiles {
    pub(crate) fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            fetched: Cache::builder()
                .max_capacity(MAX_PROFILES)
                .time_to_live(Duration::from_secs(FRESH_SECONDS.unsigned_abs()))
                .build(),
        }
    }

    /// The profile, or how long to wait before asking again.
    pub(crate) async fn of(&self, user_id: &str) -> Result<Profile, Duration> {
        if let Some(known) = self.fetched.get(user_id).await {
            if self.now() < known.at.saturating_add(FRESH_SECONDS) {
                return Ok(known.profile);
            }
            self.fetched.invalidate(user_id).await;
        }
        let fetched = self
            .fetched
            .try_get_with_by_ref(user_id, self.fetch(user_id))
            .await;
        fetched.map(|fetched| fetched.profile).map_err(|wait| *wait)
    }

    async fn fetch(&self, user_id: &str) -> Result<Fetched, Duration> {
        let profile = match self.client.user_management().get_user(user_id).await {
            Ok(user) => Profile::Known(Arc::new(user)),
            Err(error) if error.status() == Some(404) => Profile::Gone,
            Err(error) => {
                tracing::warn!(%error, "the profile of a user cannot be fetched");
                let wait = error.api().and_then(|api| api.retry_after);
                return Err(wait.unwrap_or(DEFAULT_RETRY_AFTER));
            }
        };
        let at = self.now();
        Ok(Fetched { profile, at })
    }

    fn now(&self) -> i64 {
        unix_seconds(self.clock.as_ref())
    }
}

impl AuthKit {
    /// The person with their profile, which WorkOS is asked for.
    pub(crate) async fn with_profile(&self, context: AuthContext) -> Result<AuthUser, AuthError> {
        let Some(token) = context.token().cloned() else {
            return Err(AuthError::Forbidden {
                requirement: crate::Requirement::User,
            });
        };
        match self.profiles().of(context.subject()).await {
            Ok(Profile::Known(user)) => Ok(AuthUser::new(context, token, user)),
            Ok(Profile::Gone) => Err(AuthError::InvalidToken {
                description: "its user does not exist any more",
            }),
            Err(retry_after) => Err(AuthError::Unavailable { retry_after }),
        }
    }
}
