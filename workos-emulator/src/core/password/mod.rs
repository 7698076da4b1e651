//! placeholder until merged
pub(crate) mod policy;
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct PasswordHash(String);
