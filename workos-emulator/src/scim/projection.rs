//! Which attributes an answer has: `attributes` and `excludedAttributes`. Source: RFC 7644 section 3.9.

use serde_json::{Map, Value};

use super::{
    path::{AttributePath, Target},
    schema::ResourceType,
};

/// What is wanted of a resource. `id` and `schemas` are always there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Projection {
    #[default]
    Everything,
    Only(Vec<Target>),
    Without(Vec<Target>),
}

/// How much of an attribute the paths mean.
enum Part<'p> {
    Nothing,
    Whole,
    Subs(Vec<&'p str>),
}

fn is_always_there(name: &str) -> bool {
    name == "id" || name == "schemas"
}

/// What the paths mean of the attribute `name`, which stands in this extension.
fn part<'p>(targets: &'p [Target], extension: Option<&str>, name: &str) -> Part<'p> {
    let mut subs = Vec::new();
    for target in targets {
        let Target::Attribute(path) = target else { continue };
        let same_place = match (&path.extension, extension) {
            (None, None) => true,
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
            _ => false,
        };
        if !same_place || !path.name.eq_ignore_ascii_case(name) {
            continue;
        }
        match &path.sub {
            None => return Part::Whole,
            Some(sub) => subs.push(sub.as_str()),
        }
    }
    if subs.is_empty() {
        Part::Nothing
    } else {
        Part::Subs(subs)
    }
}

fn targets<'n>(names: impl IntoIterator<Item = &'n str>, resource_type: &ResourceType) -> Vec<Target> {
    names
        .into_iter()
        .filter_map(|name| Target::parse(name.trim(), resource_type).ok())
        .collect()
}

fn names_extension(targets: &[Target], uri: &str) -> bool {
    targets
        .iter()
        .any(|target| matches!(target, Target::Extension(named) if named.eq_ignore_ascii_case(uri)))
}

impl Projection {
    /// By the two lists of names. Where both are given, `attributes` counts; what is no name of an attribute is passed over.
    pub(super) fn new<'n>(
        attributes: impl IntoIterator<Item = &'n str>,
        excluded: impl IntoIterator<Item = &'n str>,
        resource_type: &ResourceType,
    ) -> Self {
        let mut attributes = attributes.into_iter().peekable();
        let asks_for_some = attributes.peek().is_some();
        let only = targets(attributes, resource_type);
        if asks_for_some {
            return Self::Only(only);
        }
        let without = targets(excluded, resource_type);
        if without.is_empty() {
            return Self::Everything;
        }
        Self::Without(without)
    }

    /// Whether anything of this attribute is wanted; what is not need not be found out.
    pub(super) fn wants(&self, name: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(targets) => !matches!(part(targets, None, name), Part::Nothing),
            Self::Without(targets) => !matches!(part(targets, None, name), Part::Whole),
        }
    }

    /// Leaves in `resource` what is wanted.
    pub(super) fn apply(&self, resource: Map<String, Value>) -> Map<String, Value> {
        let (targets, keep) = match self {
            Self::Everything => return resource,
            Self::Only(targets) => (targets, true),
            Self::Without(targets) => (targets, false),
        };
        let mut wanted = Map::new();
        for (name, value) in resource {
            if is_always_there(&name) {
                wanted.insert(name, value);
            } else if name
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
            {
                if names_extension(targets, &name) {
                    if keep {
                        wanted.insert(name, value);
                    }
                    continue;
                }
                let Value::Object(members) = value else { continue };
                let members = project(members, targets, Some(&name), keep);
                if !members.is_empty() {
                    wanted.insert(name, Value::Object(members));
                }
            } else {
                wanted.extend(project(Map::from_iter([(name, value)]), targets, None, keep));
            }
        }
        wanted
    }
}

fn project(
    members: Map<String, Value>,
    targets: &[Target],
    extension: Option<&str>,
    keep: bool,
) -> Map<String, Value> {
    let members = members.into_iter().filter_map(|(name, value)| {
        let value = match part(targets, extension, &name) {
            Part::Nothing => (!keep).then_some(value),
            Part::Whole => keep.then_some(value),
            Part::Subs(subs) => Some(with_subs(value, &subs, keep)),
        }?;
        Some((name, value))
    });
    members.collect()
}

fn with_subs(value: Value, subs: &[&str], keep: bool) -> Value {
    match value {
        Value::Array(items) => {
            let items = items.into_iter().map(|item| with_subs(item, subs, keep));
            Value::Array(items.collect())
        }
        Value::Object(members) => {
            let named = |name: &str| subs.iter().any(|sub| sub.eq_ignore_ascii_case(name));
            let members = members.into_iter().filter(|(name, _)| named(name) == keep);
            Value::Object(members.collect())
        }
        plain => plain,
    }
}

impl AttributePath {
    /// Where lists are sorted by.
    pub(super) fn for_sorting(text: &str, resource_type: &ResourceType) -> Option<Self> {
        match Target::parse(text.trim(), resource_type).ok()? {
            Target::Attribute(path) => Some(path),
            Target::Extension(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::schema::USER, *};

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn projected(attributes: &[&str], excluded: &[&str]) -> Value {
        let resource = json!({
            "schemas": ["…"], "id": "1", "userName": "ada", "name": {"givenName": "Ada", "familyName": "L"},
            "emails": [{"value": "a@b", "type": "work"}, {"value": "c@d"}],
            ENTERPRISE: {"department": "Engines", "division": "A"},
        });
        let projection = Projection::new(attributes.iter().copied(), excluded.iter().copied(), &USER);
        Value::Object(projection.apply(resource.as_object().unwrap().clone()))
    }

    #[test]
    fn keeps_what_is_asked_for() {
        assert_eq!(
            projected(&["USERNAME", "emails.value"], &["userName"]),
            json!({"schemas": ["…"], "id": "1", "userName": "ada", "emails": [{"value": "a@b"}, {"value": "c@d"}]})
        );
        assert_eq!(
            projected(&["name.givenName", "name.familyName", "nonsense["], &[]),
            json!({"schemas": ["…"], "id": "1", "name": {"givenName": "Ada", "familyName": "L"}})
        );
        let department = format!("{ENTERPRISE}:department");
        assert_eq!(
            projected(&[&department], &[]),
            json!({"schemas": ["…"], "id": "1", ENTERPRISE: {"department": "Engines"}})
        );
        assert_eq!(projected(&[ENTERPRISE], &[])[ENTERPRISE]["division"], "A");
        assert_eq!(projected(&["["], &[]), json!({"schemas": ["…"], "id": "1"}));
    }

    #[test]
    fn leaves_out_what_is_excluded_but_never_the_id() {
        let division = format!("{ENTERPRISE}:division");
        let left = projected(
            &[],
            &["id", "schemas", "userName", "emails.type", "name", &division],
        );
        assert_eq!(
            left,
            json!({
                "schemas": ["…"], "id": "1", "emails": [{"value": "a@b"}, {"value": "c@d"}],
                ENTERPRISE: {"department": "Engines"},
            })
        );
        assert_eq!(projected(&[], &[ENTERPRISE]).get(ENTERPRISE), None);
    }

    #[test]
    fn says_what_need_not_be_found_out() {
        let without = Projection::new([], ["members"], &USER);
        assert!(!without.wants("members") && without.wants("displayName"));
        let only = Projection::new(["displayName"], [], &USER);
        assert!(!only.wants("members") && only.wants("displayName"));
        assert!(Projection::Everything.wants("members"));
    }
}
