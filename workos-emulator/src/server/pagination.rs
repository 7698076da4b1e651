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
    let order = match query.get("order") {
        None | Some("desc") => Order::Descending,
        Some("asc") => Order::Ascending,
        Some("normal") => Order::Normal,
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
        before: cursor("before"),
        after: cursor("after"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Page, ApiError> {
        page(&Query::parse(query))
    }

    #[test]
    fn has_ten_of_the_newest_unless_asked_otherwise() {
        assert_eq!(read("before=&after="), Ok(Page::default()));
        let asked = Page {
            limit: 100,
            order: Order::Normal,
            before: Some("b".to_owned()),
            after: Some("a".to_owned()),
        };
        assert_eq!(read("limit=100&order=normal&before=b&after=a"), Ok(asked));
        assert_eq!(
            read("limit=1&order=asc").map(|page| page.order),
            Ok(Order::Ascending)
        );
    }

    #[test]
    fn names_the_parameter_that_is_wrong() {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=", "limit"),
            ("limit=ten", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("order=DESC", "order"),
            ("order=", "order"),
        ] {
            let refused = read(query).unwrap_err();
            assert_eq!(refused.status, 422, "{query}");
            assert_eq!(refused.body["errors"][0]["field"], field, "{query}");
        }
    }
}
