//! Pages of resources: filter, sorting, `startIndex` and `count`. Source: RFC 7644 section 3.4.2.

use std::{cmp::Ordering, collections::HashSet, sync::Arc};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    error::ScimError,
    filter::{Filter, folded, values},
    path::{AttributePath, member},
    projection::Projection,
    resource::{Resource, View},
    schema::ResourceType,
};
use crate::server::call::Query;

/// How many resources a page has at most, and how many where `count` is not given.
pub(super) const MOST: usize = 1_000;
const USUAL: usize = 100;

/// The parameters of a list, before they are read for a kind of resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ListRequest {
    filter: Option<String>,
    sort_by: Option<String>,
    descending: bool,
    /// From 0.
    pub(super) from: usize,
    pub(super) count: usize,
    attributes: Vec<String>,
    excluded: Vec<String>,
}

/// What a list is asked for.
#[derive(Debug)]
pub(super) struct Selection {
    filter: Option<Filter>,
    sort_by: Option<AttributePath>,
    descending: bool,
    pub(super) projection: Projection,
}

/// Source: RFC 7644 section 3.4.2.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResponse {
    schemas: [&'static str; 1],
    total_results: usize,
    start_index: usize,
    items_per_page: usize,
    #[serde(rename = "Resources")]
    resources: Vec<Value>,
}

impl ListResponse {
    pub(super) fn new(total_results: usize, from: usize, resources: Vec<Value>) -> Self {
        Self {
            schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            total_results,
            start_index: from.saturating_add(1),
            items_per_page: resources.len(),
            resources,
        }
    }
}

fn whole_number(name: &str, value: &str) -> Result<i64, ScimError> {
    let number = value.trim().parse();
    number.map_err(|_| ScimError::value(format!("'{name}' must be a whole number.")))
}

fn is_descending(order: Option<&str>) -> Result<bool, ScimError> {
    match order.map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "ascending") => Ok(false),
        Some("descending") => Ok(true),
        Some(_) => Err(ScimError::value("'sortOrder' must be ascending or descending.")),
    }
}

impl ListRequest {
    /// An index below 1 is 1, and a count below 0 is 0 (RFC 7644 table 6).
    fn paged(mut self, start_index: Option<i64>, count: Option<i64>) -> Self {
        let size = |number: i64| usize::try_from(number.max(0)).unwrap_or(usize::MAX);
        self.from = size(start_index.unwrap_or(1)).saturating_sub(1);
        self.count = count.map_or(USUAL, size).min(MOST);
        self
    }

    /// By the parameters of a GET; others, such as Entra ID's `aadOptscim062020`, are passed over.
    pub(super) fn of_query(query: &Query) -> Result<Self, ScimError> {
        let text = |name| query.get(name).filter(|value| !value.is_empty());
        let number = |name| text(name).map(|value| whole_number(name, value)).transpose();
        let names = |name| query.all(name).into_iter().map(str::to_owned).collect();
        let request = Self {
            filter: text("filter").map(str::to_owned),
            sort_by: text("sortBy").map(str::to_owned),
            descending: is_descending(text("sortOrder"))?,
            attributes: names("attributes"),
            excluded: names("excludedAttributes"),
            ..Self::default()
        };
        Ok(request.paged(number("startIndex")?, number("count")?))
    }

    /// By the body of a POST to `/.search` (RFC 7644 section 3.4.3).
    pub(super) fn of_body(body: &Value) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(ScimError::syntax("The body must be a JSON object."));
        };
        let text = |name: &str| match member(body, name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(ScimError::syntax(format!("'{name}' must be a string."))),
        };
        let number = |name: &str| match member(body, name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => whole_number(name, &value.to_string()).map(Some),
        };
        let names = |name: &str| match member(body, name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(names)) => Ok(names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()),
            Some(_) => Err(ScimError::syntax(format!(
                "'{name}' must be an array of strings."
            ))),
        };
        let request = Self {
            filter: text("filter")?,
            sort_by: text("sortBy")?,
            descending: is_descending(text("sortOrder")?.as_deref())?,
            attributes: names("attributes")?,
            excluded: names("excludedAttributes")?,
            ..Self::default()
        };
        Ok(request.paged(number("startIndex")?, number("count")?))
    }

    /// The request as one for this kind of resource.
    pub(super) fn selection(&self, resource_type: &'static ResourceType) -> Result<Selection, ScimError> {
        let filter = self.filter.as_deref();
        let sort_by = self.sort_by.as_deref();
        Ok(Selection {
            filter: filter
                .map(|text| Filter::parse(text, resource_type))
                .transpose()?,
            sort_by: sort_by.and_then(|text| AttributePath::for_sorting(text, resource_type)),
            descending: self.descending,
            projection: Projection::new(
                self.attributes.iter().map(String::as_str),
                self.excluded.iter().map(String::as_str),
                resource_type,
            ),
        })
    }
}

impl Selection {
    /// How many resources of a directory are meant, and `count` of them from the one at `from` on.
    ///
    /// Without filter and sorting, and by the filters that identity providers look resources up with, this costs the same
    /// however many there are.
    pub(super) fn page<R: Resource>(
        &self,
        view: &View<'_>,
        from: usize,
        count: usize,
    ) -> (usize, Vec<Value>) {
        let (total, rows) = self.rows::<R>(view, from, count);
        let resource = |row: &Arc<R>| Value::Object(view.resource(&**row, &self.projection));
        (total, rows.iter().map(resource).collect())
    }

    fn rows<R: Resource>(&self, view: &View<'_>, from: usize, count: usize) -> (usize, Vec<Arc<R>>) {
        let table = R::table(view.state);
        let in_directory = || table.group(R::BY_DIRECTORY, &view.directory.id);
        let mut rows: Vec<Arc<R>> = match &self.filter {
            None if self.sort_by.is_none() => {
                let page = table.slice(R::BY_DIRECTORY, &view.directory.id, from, count);
                return (R::total(view.state, view.directory), page);
            }
            None => in_directory().cloned().collect(),
            Some(filter) => match looked_up(filter, view) {
                Some(rows) => rows,
                None => {
                    let wanted = for_filter::<R>(filter);
                    in_directory()
                        .filter(|row| filter.matches(&view.resource(&***row, &wanted), R::TYPE))
                        .cloned()
                        .collect()
                }
            },
        };
        if let Some(path) = &self.sort_by {
            self.sort(view, &mut rows, path);
        }
        let total = rows.len();
        (total, rows.into_iter().skip(from).take(count).collect())
    }

    /// Sorts by an attribute; resources without it come last, and first in descending order (RFC 7644 section 3.4.2.3).
    fn sort<R: Resource>(&self, view: &View<'_>, rows: &mut Vec<Arc<R>>, path: &AttributePath) {
        let exact = path.leaf(R::TYPE).is_some_and(|leaf| leaf.case_exact);
        let wanted = Projection::new([], ["members", "groups"], R::TYPE);
        let mut keyed: Vec<(Option<Value>, Arc<R>)> = std::mem::take(rows)
            .into_iter()
            .map(|row| (sort_key(&view.resource(&*row, &wanted), path, exact), row))
            .collect();
        keyed.sort_by(|(one, _), (other, _)| {
            let order = compare(one.as_ref(), other.as_ref());
            if self.descending { order.reverse() } else { order }
        });
        rows.extend(keyed.into_iter().map(|(_, row)| row));
    }
}

/// What the filter needs to know of a resource: what other rows say of it costs more than all else.
fn for_filter<R: Resource>(filter: &Filter) -> Projection {
    let related = if R::TYPE.name == "Group" {
        "members"
    } else {
        "groups"
    };
    if filter.mentions(related) {
        return Projection::Everything;
    }
    Projection::new([], [related], R::TYPE)
}

/// The resources that meet a filter, where an index finds a few candidates.
fn looked_up<R: Resource>(filter: &Filter, view: &View<'_>) -> Option<Vec<Arc<R>>> {
    let lookups = filter.lookups();
    let found: Vec<_> = lookups
        .iter()
        .filter_map(|lookup| R::look_up(view.state, view.directory, lookup))
        .collect();
    let all_known = found.len() == lookups.len();
    let mut found = found.into_iter();
    let mut rows = found.next()?;
    for other in found {
        let ids: HashSet<&str> = other.iter().map(|row| row.id()).collect();
        rows.retain(|row| ids.contains(row.id()));
    }
    let is_met = |row: &Arc<R>| {
        filter.is_lookup() && all_known
            || filter.matches(&view.resource(&**row, &Projection::Everything), R::TYPE)
    };
    rows.retain(|row| row.directory_id() == view.directory.id && is_met(row));
    Some(rows)
}

/// The value that a resource is sorted by: of many the primary one, else the first.
fn sort_key(resource: &Map<String, Value>, path: &AttributePath, exact: bool) -> Option<Value> {
    let primary = match path.value(resource) {
        Some(Value::Array(items)) => items.iter().position(|item| item["primary"] == true),
        _ => None,
    };
    let key = values(path, resource).get(primary.unwrap_or(0)).copied()?;
    match key {
        Value::String(text) if !exact => Some(folded(text).into()),
        other => Some(other.clone()),
    }
}

fn compare(one: Option<&Value>, other: Option<&Value>) -> Ordering {
    match (one, other) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(Value::String(one)), Some(Value::String(other))) => one.cmp(other),
        (Some(Value::Bool(one)), Some(Value::Bool(other))) => one.cmp(other),
        (Some(one), Some(other)) => one
            .as_f64()
            .partial_cmp(&other.as_f64())
            .unwrap_or(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn window(query: &str) -> (usize, usize) {
        let request = ListRequest::of_query(&Query::parse(query)).unwrap();
        (request.from, request.count)
    }

    #[test]
    fn pages_are_bounded_as_the_rfc_says() {
        assert_eq!(window(""), (0, USUAL));
        assert_eq!(window("startIndex=1&count=10&aadOptscim062020"), (0, 10));
        assert_eq!(window("startIndex=0&count=-3"), (0, 0));
        assert_eq!(window("startIndex=-7"), (0, USUAL));
        assert_eq!(window("startIndex=101&count=999999999"), (100, MOST));
        assert_eq!(
            window("startIndex=9223372036854775807"),
            (9_223_372_036_854_775_806, USUAL)
        );
    }

    #[test]
    fn refuses_what_is_no_number_or_order() {
        for query in [
            "startIndex=a",
            "count=1.5",
            "sortOrder=up",
            "count=99999999999999999999",
        ] {
            let refused = ListRequest::of_query(&Query::parse(query)).unwrap_err();
            assert_eq!(refused.status, 400, "{query}");
        }
    }

    #[test]
    fn a_search_says_the_same_in_a_body() {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "userName pr", "sortBy": "userName", "sortOrder": "descending", "startIndex": 3, "count": 2,
            "attributes": ["userName", "emails"],
        });
        let query = "filter=userName+pr&sortBy=userName&sortOrder=descending&startIndex=3&count=2\
                     &attributes=userName,emails";
        assert_eq!(
            ListRequest::of_body(&body),
            ListRequest::of_query(&Query::parse(query))
        );
        assert!(ListRequest::of_body(&json!({"count": "x"})).is_err());
        assert!(ListRequest::of_body(&json!([])).is_err());
    }
}
