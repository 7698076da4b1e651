//! The User schema and its enterprise extension. Source: RFC 7643 sections 4.1, 4.3 and 8.7.1.

use super::{
    Schema,
    attribute::{Attribute, binary, boolean, complex, reference, string},
};

const DISPLAY: Attribute = string("display", "A name for people to read.");
const PRIMARY: Attribute = boolean(
    "primary",
    "Whether this value is the preferred one; at most one is.",
);

const fn kind(values: &'static [&'static str]) -> Attribute {
    string("type", "What the value is for.").one_of(values)
}

const HOME_OR_WORK: &[&str] = &["work", "home", "other"];

const NAME: &[Attribute] = &[
    string("formatted", "The full name as it is shown."),
    string("familyName", "The family name, or last name."),
    string("givenName", "The given name, or first name."),
    string("middleName", "The middle names."),
    string("honorificPrefix", "A title before the name."),
    string("honorificSuffix", "A suffix behind the name."),
];

const EMAILS: &[Attribute] = &[
    string("value", "The e-mail address."),
    DISPLAY,
    kind(HOME_OR_WORK),
    PRIMARY,
];

const PHONE_NUMBERS: &[Attribute] = &[
    string("value", "The phone number."),
    DISPLAY,
    kind(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];

const IMS: &[Attribute] = &[
    string("value", "The address of an instant messenger."),
    DISPLAY,
    kind(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
    PRIMARY,
];

const PHOTOS: &[Attribute] = &[
    reference("value", &["external"], "Where the picture is."),
    DISPLAY,
    kind(&["photo", "thumbnail"]),
    PRIMARY,
];

const ADDRESSES: &[Attribute] = &[
    string("formatted", "The full address as it is shown."),
    string("streetAddress", "Street, house number, and the like."),
    string("locality", "The city or locality."),
    string("region", "The state or region."),
    string("postalCode", "The postal code."),
    string("country", "The country as an ISO 3166-1 alpha 2 code."),
    kind(HOME_OR_WORK),
    PRIMARY,
];

const GROUPS: &[Attribute] = &[
    string("value", "The id of the group.").read_only(),
    reference("$ref", &["Group"], "Where the group is.").read_only(),
    string("display", "The name of the group.").read_only(),
    string("type", "How the user comes to be in the group.")
        .one_of(&["direct", "indirect"])
        .read_only(),
];

const NAMED_VALUE: &[Attribute] = &[string("value", "The value."), DISPLAY, kind(&[]), PRIMARY];

const CERTIFICATES: &[Attribute] = &[
    binary("value", "An X.509 certificate, as DER in base64."),
    DISPLAY,
    kind(&[]),
    PRIMARY,
];

const MANAGER: &[Attribute] = &[
    string("value", "The id of the manager.").case_exact(),
    reference("$ref", &["User"], "Where the manager is."),
    string("displayName", "The name of the manager.").read_only(),
];

pub(crate) const USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "A person.",
    attributes: &[
        string(
            "userName",
            "What the person signs in with; upper and lower case are the same.",
        )
        .required()
        .unique(),
        complex("name", NAME, "The parts of the person's name."),
        string("displayName", "The name that is shown."),
        string("nickName", "The casual name."),
        reference("profileUrl", &["external"], "A page about the person."),
        string("title", "The job title."),
        string("userType", "How the person belongs to the organization."),
        string(
            "preferredLanguage",
            "The language as in an Accept-Language header.",
        ),
        string("locale", "Where the person is, for formats: en-US."),
        string("timezone", "The time zone as the IANA names it."),
        boolean("active", "Whether the person may use the application."),
        string(
            "password",
            "Taken and thrown away: an application behind WorkOS has none of the directory.",
        )
        .case_exact()
        .write_only(),
        complex("emails", EMAILS, "The person's e-mail addresses.").many(),
        complex("phoneNumbers", PHONE_NUMBERS, "The person's phone numbers.").many(),
        complex("ims", IMS, "The person's instant messengers.").many(),
        complex("photos", PHOTOS, "Pictures of the person.").many(),
        complex("addresses", ADDRESSES, "The person's postal addresses.").many(),
        complex(
            "groups",
            GROUPS,
            "The groups that the person is in; changed by the groups.",
        )
        .many()
        .read_only(),
        complex("entitlements", NAMED_VALUE, "What the person is entitled to.").many(),
        complex("roles", NAMED_VALUE, "The person's roles.").many(),
        complex("x509Certificates", CERTIFICATES, "The person's certificates.").many(),
    ],
};

pub(crate) const ENTERPRISE_USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    description: "What an enterprise knows about a person.",
    attributes: &[
        string(
            "employeeNumber",
            "What the organization identifies the person by.",
        ),
        string("costCenter", "The cost center."),
        string("organization", "The organization."),
        string("division", "The division."),
        string("department", "The department."),
        complex("manager", MANAGER, "The person's manager."),
    ],
};
