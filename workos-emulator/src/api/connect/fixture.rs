//! What the tests of Connect begin with: Ada, and an application that she can sign in to.

use serde_json::{Value, json};
use url::Url;

use super::{applications, authorize, token};
use crate::{
    api::user_management::authenticate::fixture::{EMAIL, Fixture},
    server::{call::Call, error::ApiError, reply::Reply},
};

pub(super) const CALLBACK: &str = "https://reports.example/callback";

pub(super) struct Connect {
    pub(super) fixture: Fixture,
    pub(super) organization_id: String,
    /// A third party's application.
    pub(super) application: Value,
    pub(super) secret: String,
}

impl Connect {
    pub(super) fn new() -> Self {
        let fixture = Fixture::new();
        let organization_id = fixture.add_own_organization("Acme");
        let body = json!({
            "name": "Reports", "application_type": "oauth", "is_first_party": false,
            "organization_id": fixture.add_organization("Globex"), "redirect_uris": [{"uri": CALLBACK}],
        });
        let application = fixture.run(applications::create_application, body);
        let id = application["id"].as_str().unwrap();
        let call = Call::for_tests(&fixture.environment, &[("id", id)], "", json!({}));
        let reply = super::client_secrets::create_application_client_secret(&call).unwrap();
        let secret: Value = serde_json::from_slice(&reply.body).unwrap();
        Self {
            fixture,
            organization_id,
            secret: secret["secret"].as_str().unwrap().to_owned(),
            application,
        }
    }

    pub(super) fn authorize(&self, with: &[(&str, &str)], headers: &[(&'static str, &'static str)]) -> Reply {
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", self.application["client_id"].as_str().unwrap()),
            ("redirect_uri", CALLBACK),
            ("scope", "openid offline_access"),
            ("login_hint", EMAIL),
        ];
        for (name, value) in with {
            parameters.retain(|(other, _)| other != name);
            parameters.push((name, value));
        }
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let mut call = self.fixture.call(&query, Value::Null);
        for (name, value) in headers {
            let name: actix_web::http::header::HeaderName = name.parse().unwrap();
            call.headers.insert(name, value.parse().unwrap());
        }
        authorize::authorize(&call).unwrap()
    }

    /// Where a client without a browser is sent.
    pub(super) fn location(&self, with: &[(&str, &str)]) -> Url {
        Url::parse(&self.authorize(with, &[]).headers[0].1).unwrap()
    }

    /// A code, where pages are off.
    pub(super) fn code(&self) -> String {
        self.fixture
            .set(|settings| settings.interactive = crate::control::settings::Interactive::Never);
        let location = self.location(&[]);
        let mut pairs = location.query_pairs();
        let (_, code) = pairs.find(|(name, _)| name == "code").unwrap();
        code.into_owned()
    }

    pub(super) fn token(&self, mut form: Value) -> Result<Value, ApiError> {
        form["client_id"] = self.application["client_id"].clone();
        form["client_secret"] = self.secret.as_str().into();
        let reply = token::token(&self.fixture.call("", form))?;
        Ok(serde_json::from_slice(&reply.body).unwrap())
    }

    pub(super) fn tokens(&self) -> Value {
        let form = json!({"grant_type": "authorization_code", "code": self.code(), "redirect_uri": CALLBACK});
        self.token(form).unwrap()
    }
}
