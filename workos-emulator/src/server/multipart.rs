//! Forms with files (RFC 7578), as browsers send them.

use multer::{Multipart, parse_boundary};
use serde_json::{Map, Value};

use super::error::ApiError;

/// Whether the body is said to be such a form.
pub(super) fn is_sent_as(content_type: Option<&str>) -> bool {
    boundary(content_type).is_some()
}

fn boundary(content_type: Option<&str>) -> Option<String> {
    parse_boundary(content_type?).ok()
}

/// The form as an object of strings, like one without files: a file is its text.
///
/// What is no UTF-8 is read as far as it goes, for the operation to refuse as what it should have been.
pub(super) async fn parse(content_type: Option<&str>, bytes: &[u8]) -> Result<Value, ApiError> {
    let unreadable = |reason: &str| {
        let message = format!("The form could not be read: {reason}.");
        ApiError::bad_request("invalid_request_body", message)
    };
    let boundary = boundary(content_type).ok_or_else(|| unreadable("it has no boundary"))?;
    let mut form = Multipart::with_reader(bytes, boundary);
    let mut members = Map::new();
    loop {
        let part = form.next_field().await;
        let Some(part) = part.map_err(|error| unreadable(&error.to_string()))? else {
            return Ok(Value::Object(members));
        };
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(unreadable("a part of it has no name"));
        };
        let content = part
            .bytes()
            .await
            .map_err(|error| unreadable(&error.to_string()))?;
        members.insert(name, String::from_utf8_lossy(&content).into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"-x\"";

    async fn read(body: &[u8]) -> Result<Value, u16> {
        parse(Some(TYPE), body).await.map_err(|error| error.status)
    }

    #[actix_web::test]
    async fn files_are_text_among_the_other_fields() {
        let body = b"---x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n---x\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"../m.xml\"\r\nContent-Type: text/xml\r\n\r\n\
            <a>\r\n\xff</a>\r\n---x--\r\n";
        let form = read(body).await.unwrap();
        assert_eq!(form, json!({"a": "1", "file": "<a>\r\n\u{fffd}</a>"}));
    }

    #[actix_web::test]
    async fn half_a_form_is_none() {
        for body in [
            &b"---x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"[..],
            b"---x\r\nContent-Disposition: form-data\r\n\r\n1\r\n---x--\r\n",
            b"no form",
            b"",
        ] {
            assert_eq!(read(body).await, Err(400), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn is_known_by_its_content_type() {
        assert!(is_sent_as(Some(TYPE)));
        for other in [
            None,
            Some("application/json"),
            Some("multipart/form-data"),
            Some("multipart/mixed; boundary=x"),
        ] {
            assert!(!is_sent_as(other), "{other:?}");
        }
    }
}
