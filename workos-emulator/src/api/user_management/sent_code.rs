//! One-time codes that were sent to the address of a user: one table for each purpose, so that a code for one thing is
//! good for no other.
//!
//! A user has one code for each purpose. Older ones are void once a new one is asked for; their rows stay for a while, as
//! an application that sends the mails itself may still fetch them.

use std::{fmt, marker::PhantomData, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::one_time_code::{CodeRefusal, OneTimeCode};
use crate::{
    core::clock,
    server::error::ApiError,
    store::{Expiring, Index, Record, State, Stored, Transaction},
};

/// What a code is for.
pub(crate) trait Purpose: Clone + fmt::Debug + Send + Sync + 'static {
    /// The API's name of such a code, and the prefix of its id.
    const OBJECT: &'static str;
}

/// A code that was sent, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct SentCode<P: Purpose> {
    pub(crate) id: String,
    pub(crate) user_id: String,
    /// The address that it was sent to. What it proves, it proves about this one.
    pub(crate) email: String,
    pub(crate) code: OneTimeCode,
    /// A newer one was sent.
    superseded: bool,
    #[serde(with = "clock::timestamp")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "clock::timestamp")]
    pub(crate) updated_at: Timestamp,
    #[serde(skip)]
    purpose: PhantomData<P>,
}

impl<P: Purpose> SentCode<P> {
    /// The codes of a user, the current one first.
    const BY_USER: Index<Self> = Index::ordered("user", |row| {
        vec![(row.user_id.as_str().into(), i64::from(row.superseded))]
    });
}

impl<P: Purpose> Record for SentCode<P> {
    const INDEXES: &'static [Index<Self>] = &[Self::BY_USER];
    const REMEMBERS_DELETED: bool = false;

    fn id(&self) -> &str {
        &self.id
    }
}

/// How long a code is kept that is too old, to say so.
const AFTERLIFE: SignedDuration = SignedDuration::from_hours(1);

impl<P: Purpose> Expiring for SentCode<P>
where
    Self: Stored,
{
    fn expires_at(&self) -> Timestamp {
        clock::saturating_add(self.code.expires_at, AFTERLIFE)
    }
}

impl<P: Purpose> SentCode<P> {
    /// As events show it: without the code.
    pub(crate) fn event(&self) -> Value {
        json!({
            "object": P::OBJECT,
            "id": self.id,
            "user_id": self.user_id,
            "email": self.email,
            "expires_at": clock::iso8601(self.code.expires_at),
            "created_at": clock::iso8601(self.created_at),
            "updated_at": clock::iso8601(self.updated_at),
        })
    }

    /// As the API shows it to the application, which may send the mail itself.
    pub(crate) fn body(&self) -> Value {
        let mut body = self.event();
        body["code"] = self.code.value.expose().into();
        body
    }
}

impl<P: Purpose> SentCode<P>
where
    Self: Stored,
{
    /// A new code, which makes older ones void.
    pub(crate) fn create(
        tx: &mut Transaction<'_>,
        user_id: &str,
        email: &str,
    ) -> Result<Arc<Self>, ApiError> {
        if let Some(older) = Self::current(tx, user_id).cloned() {
            let mut older = Self::clone(&older);
            older.code.replace();
            older.superseded = true;
            tx.put(older)?;
        }
        let code = Self {
            id: tx.id(P::OBJECT),
            user_id: user_id.to_owned(),
            email: email.to_owned(),
            code: OneTimeCode::new(tx),
            superseded: false,
            created_at: tx.now(),
            updated_at: tx.now(),
            purpose: PhantomData,
        };
        Ok(tx.put_expiring(code)?)
    }

    /// Makes a user's code void. One that was used stays so.
    pub(crate) fn void(tx: &mut Transaction<'_>, user_id: &str) -> Result<(), ApiError> {
        if let Some(code) = Self::current(tx, user_id).cloned() {
            let mut code = Self::clone(&code);
            code.code.replace();
            tx.put(code)?;
        }
        Ok(())
    }

    /// The newest code of a user, used or not.
    pub(crate) fn current<'a>(state: &'a State, user_id: &str) -> Option<&'a Arc<Self>> {
        let found = Self::table(state).find(Self::BY_USER, user_id);
        found.filter(|code| !code.superseded)
    }

    /// The code with this id.
    pub(crate) fn find<'a>(state: &'a State, entity: &str, id: &str) -> Result<&'a Arc<Self>, ApiError> {
        Self::table(state)
            .get(id)
            .ok_or_else(|| ApiError::not_found(entity, id))
    }

    /// Takes what somebody typed, if it is the newest code that was sent to the user at `email`. A wrong one is counted.
    pub(crate) fn take(
        tx: &mut Transaction<'_>,
        user_id: &str,
        email: &str,
        given: &str,
    ) -> Result<Result<Arc<Self>, CodeRefusal>, ApiError> {
        let Some(current) = Self::current(tx, user_id).filter(|code| code.email == email) else {
            return Ok(Err(CodeRefusal::Incorrect));
        };
        let mut current = Self::clone(current);
        let taken = current.code.take(given, tx.now());
        current.updated_at = tx.now();
        let current = tx.put(current)?;
        Ok(taken.map(|()| current))
    }

    /// Deletes all codes of a user.
    pub(crate) fn forget(tx: &mut Transaction<'_>, user_id: &str) {
        let ids: Vec<_> = Self::table(tx)
            .group(Self::BY_USER, user_id)
            .map(|code| code.id.clone())
            .collect();
        for id in ids {
            tx.delete::<Self>(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{api::user_management::magic_auth::MagicAuth, environment::Environment};

    const EMAIL: &str = "ada@example.com";

    fn sent(environment: &Environment) -> String {
        let code = environment
            .transact(|tx| MagicAuth::create(tx, "user_1", EMAIL))
            .unwrap();
        code.code.value.expose().to_owned()
    }

    fn taken(environment: &Environment, user_id: &str, email: &str, given: &str) -> Result<(), CodeRefusal> {
        let taken = environment.transact(|tx| MagicAuth::take(tx, user_id, email, given));
        taken.unwrap().map(drop)
    }

    #[test]
    fn a_newer_code_makes_older_ones_void_be_they_used_or_not() {
        let environment = Environment::for_tests();
        let first = sent(&environment);
        let second = sent(&environment);
        assert_eq!(
            taken(&environment, "user_1", EMAIL, &first),
            Err(CodeRefusal::Incorrect)
        );
        assert_eq!(taken(&environment, "user_1", EMAIL, &second), Ok(()));
        assert_eq!(
            taken(&environment, "user_1", EMAIL, &second),
            Err(CodeRefusal::PreviouslyUsed)
        );
        let third = sent(&environment);
        assert_eq!(
            taken(&environment, "user_1", EMAIL, &second),
            Err(CodeRefusal::Incorrect)
        );
        assert_eq!(taken(&environment, "user_1", EMAIL, &third), Ok(()));
    }

    #[test]
    fn a_code_is_for_its_user_and_address_alone() {
        let environment = Environment::for_tests();
        let code = sent(&environment);
        for (user_id, email) in [("user_2", EMAIL), ("user_1", "grace@example.com")] {
            assert_eq!(
                taken(&environment, user_id, email, &code),
                Err(CodeRefusal::Incorrect)
            );
        }
        assert_eq!(taken(&environment, "user_1", EMAIL, &code), Ok(()));
    }

    #[test]
    fn rows_are_cleared_away_and_forgotten_with_their_user() {
        let environment = Environment::for_tests();
        sent(&environment);
        sent(&environment);
        environment.clock.advance(Duration::from_secs(70 * 60));
        sent(&environment);
        assert_eq!(environment.state().magic_auths.len(), 1);
        environment
            .transact(|tx| {
                MagicAuth::forget(tx, "user_1");
                Ok::<_, ()>(())
            })
            .unwrap();
        assert_eq!(environment.state().magic_auths.len(), 0);
    }

    #[test]
    fn events_do_not_show_the_code() {
        let environment = Environment::for_tests();
        let code = environment
            .transact(|tx| MagicAuth::create(tx, "user_1", EMAIL))
            .unwrap();
        assert_eq!(code.event().get("code"), None);
        assert_eq!(code.body()["code"], code.code.value.expose());
        assert!(code.id.starts_with("magic_auth_"));
        assert!(!format!("{code:?}").contains(code.code.value.expose()));
    }
}
