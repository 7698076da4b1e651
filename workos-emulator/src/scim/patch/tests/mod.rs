//! What a PATCH makes of a resource.

mod operations;
mod properties;
mod refusals;

use serde_json::json;

use super::*;
use crate::scim::schema::USER;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const BOTH: [Profile; 2] = [Profile::WorkOs, Profile::Rfc7644];

fn ada() -> Value {
    json!({
        "userName": "ada",
        "active": true,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [
            {"value": "ada@work.example", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"},
        ],
        ENTERPRISE: {"department": "Engines", "costCenter": "4130"},
    })
}

fn patched(before: &Value, operations: &Value, profile: Profile) -> Result<Value, ScimError> {
    let body = json!({"schemas": [SCHEMA], "Operations": operations});
    let operations = super::operations(&body, &USER, profile)?;
    let mut resource = before.as_object().unwrap().clone();
    apply(&mut resource, &operations, &USER, profile)?;
    Ok(Value::Object(resource))
}

/// What becomes of Ada: the members that are named, under both profiles.
fn gives(operation: &Value, expected: &Value) {
    for profile in BOTH {
        becomes(operation, expected, profile);
    }
}

fn becomes(operation: &Value, expected: &Value, profile: Profile) {
    let mut wanted = ada();
    for (name, value) in expected.as_object().unwrap() {
        if value.is_null() {
            wanted.as_object_mut().unwrap().remove(name);
        } else {
            wanted[name] = value.clone();
        }
    }
    assert_eq!(
        patched(&ada(), &json!([operation]), profile),
        Ok(wanted),
        "{operation} under {profile:?}"
    );
}

fn refuses(operation: &Value, scim_type: ScimType, profile: Profile) {
    let refused = patched(&ada(), &json!([operation]), profile);
    assert_eq!(
        refused.as_ref().map_err(|error| (error.status, error.scim_type)),
        Err((400, Some(scim_type))),
        "{operation} under {profile:?}"
    );
}
