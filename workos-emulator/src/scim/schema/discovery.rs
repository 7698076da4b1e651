//! The schemas of what describes the server. Source: RFC 7643 sections 5, 6, 7 and 8.7.2.

use super::{
    Schema,
    attribute::{Attribute, boolean, complex, integer, reference, string},
};

const SUPPORTED: Attribute = boolean("supported", "Whether it is supported.")
    .required()
    .read_only();

const BULK: &[Attribute] = &[
    SUPPORTED,
    integer("maxOperations", "How many operations a request may have.")
        .required()
        .read_only(),
    integer("maxPayloadSize", "How many bytes a request may have.")
        .required()
        .read_only(),
];

const FILTER: &[Attribute] = &[
    SUPPORTED,
    integer("maxResults", "How many resources an answer has at most.")
        .required()
        .read_only(),
];

const AUTHENTICATION_SCHEMES: &[Attribute] = &[
    string("type", "The kind of authentication.")
        .required()
        .read_only()
        .one_of(&["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"]),
    string("name", "The common name of the scheme.")
        .required()
        .read_only(),
    string("description", "What the scheme is.")
        .required()
        .read_only(),
    reference("specUri", &["external"], "The specification of the scheme.").read_only(),
    reference("documentationUri", &["external"], "How it is used.").read_only(),
];

pub(crate) const SERVICE_PROVIDER_CONFIG: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
    name: "ServiceProviderConfig",
    description: "What the server can do.",
    attributes: &[
        reference(
            "documentationUri",
            &["external"],
            "Where the server is explained.",
        )
        .read_only(),
        complex("patch", &[SUPPORTED], "PATCH.").required().read_only(),
        complex("bulk", BULK, "Many operations in one request.")
            .required()
            .read_only(),
        complex("filter", FILTER, "Filters of lists.")
            .required()
            .read_only(),
        complex("changePassword", &[SUPPORTED], "Changes of passwords.")
            .required()
            .read_only(),
        complex("sort", &[SUPPORTED], "Sorted lists.")
            .required()
            .read_only(),
        complex("etag", &[SUPPORTED], "Versions of resources.")
            .required()
            .read_only(),
        complex(
            "authenticationSchemes",
            AUTHENTICATION_SCHEMES,
            "How a client authenticates.",
        )
        .many()
        .required()
        .read_only(),
    ],
};

const EXTENSIONS: &[Attribute] = &[
    reference("schema", &["uri"], "The URI of the extension.")
        .required()
        .read_only(),
    boolean("required", "Whether every resource has it.")
        .required()
        .read_only(),
];

pub(crate) const RESOURCE_TYPE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
    name: "ResourceType",
    description: "A kind of resource that the server has.",
    attributes: &[
        string("id", "The id of the resource type.").read_only(),
        string("name", "The name of the resource type.")
            .required()
            .read_only(),
        string("description", "What the resource type is.").read_only(),
        reference(
            "endpoint",
            &["uri"],
            "Where its resources are, below the base URL.",
        )
        .required()
        .read_only(),
        reference("schema", &["uri"], "The URI of its schema.")
            .required()
            .read_only(),
        complex("schemaExtensions", EXTENSIONS, "The extensions of its schema.")
            .many()
            .read_only(),
    ],
};

/// What is said of an attribute and of a sub-attribute; only an attribute has sub-attributes as well.
const fn described() -> [Attribute; 11] {
    [
        string("name", "The name of the attribute.")
            .required()
            .read_only()
            .case_exact(),
        string("type", "The type of the attribute.")
            .required()
            .read_only()
            .one_of(&[
                "string",
                "complex",
                "boolean",
                "decimal",
                "integer",
                "dateTime",
                "reference",
                "binary",
            ]),
        boolean("multiValued", "Whether there may be many values.")
            .required()
            .read_only(),
        string("description", "What the attribute is.")
            .read_only()
            .case_exact(),
        boolean("required", "Whether there must be a value.").read_only(),
        string("canonicalValues", "Usual values.")
            .many()
            .read_only()
            .case_exact(),
        boolean("caseExact", "Whether upper and lower case differ.").read_only(),
        string("mutability", "Who may change the attribute.")
            .read_only()
            .case_exact()
            .one_of(&["readOnly", "readWrite", "immutable", "writeOnly"]),
        string("returned", "When the attribute is in an answer.")
            .read_only()
            .case_exact()
            .one_of(&["always", "never", "default", "request"]),
        string("uniqueness", "Among which resources a value is unique.")
            .read_only()
            .case_exact()
            .one_of(&["none", "server", "global"]),
        string("referenceTypes", "What a reference may refer to.")
            .many()
            .read_only()
            .case_exact(),
    ]
}

const SUB_ATTRIBUTES: &[Attribute] = &described();

const fn with_sub_attributes() -> [Attribute; 12] {
    let [a, b, c, d, e, f, g, h, i, j, k] = described();
    let sub_attributes = complex(
        "subAttributes",
        SUB_ATTRIBUTES,
        "The attributes of a complex attribute.",
    );
    [a, b, c, d, e, f, g, h, i, j, k, sub_attributes.many().read_only()]
}

const ATTRIBUTES: &[Attribute] = &with_sub_attributes();

pub(crate) const SCHEMA: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Schema",
    name: "Schema",
    description: "A schema that the server has.",
    attributes: &[
        string("id", "The URI of the schema.").required().read_only(),
        string("name", "The name of the schema.").read_only(),
        string("description", "What the schema is.").read_only(),
        complex("attributes", ATTRIBUTES, "The attributes of the schema.")
            .many()
            .required()
            .read_only(),
    ],
};
