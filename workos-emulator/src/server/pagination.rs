//! `limit`, `before`, `after` and `order`, the same on every list.

use super::{call::Query, error::ApiError};
use crate::store::{Order, Page};

/// Reads the page asked for.
///
/// `normal` is `desc` with the cursors' meaning reversed. Source: the API's `PaginationOrder`; out of range is 422
/// (assumption: the status is not documented).
pub(crate) fn page(query: &Query) -> Result<Page, ApiError> {
    let limit = match query.get("limit") {
        None => 10,
        Some(text) => match text.parse() {
            Ok(limit @ 1..=100) => limit,
            _ => {
                return Err(ApiError::invalid_field(
                    "limit",
                    "invalid_limit",
                    "limit must be a whole number from 1 to 100.",
                ));
            }
        },
    };
    let cursor = |name| query.get(name).filter(|id| !id.is_empty()).map(str::to_owned);
    let (before, after) = (cursor("before"), cursor("after"));
    let (order, before, after) = match query.get("order") {
        None | Some("desc") => (Order::Descending, before, after),
        Some("asc") => (Order::Ascending, before, after),
        Some("normal") => (Order::Descending, after, before),
        Some(_) => {
            return Err(ApiError::invalid_field(
                "order",
                "invalid_enum_value",
                "order must be asc, desc or normal.",
            ));
        }
    };
    Ok(Page {
        limit,
        order,
        before,
        after,
    })
}
