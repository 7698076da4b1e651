//! The page behind a sign-out that leads nowhere else.

use super::{chrome, page, pages::SignedOutPage};
use crate::{
    api::user_management::sign_out_redirects,
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(crate) const PATH: &str = "/authkit/signed-out";

/// `GET /authkit/signed-out`
pub(super) fn show_signed_out(call: &Call) -> Result<Reply, ApiError> {
    page(
        200,
        &SignedOutPage {
            chrome: chrome(&call.environment),
            return_to: None,
            leads_nowhere: sign_out_redirects::default(&call.environment.state()).is_none(),
        },
    )
}
