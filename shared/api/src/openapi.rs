//! The API as an OpenAPI 3.1 document, made from the same descriptors as the code: schemas of the canonical proto3 JSON of every
//! message, with the comments of the protobuf file.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::source_code_info::Location;
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};
use serde_json::{Map, Value, json};

use crate::DESCRIPTORS;

/// The protobuf package, as types name it.
const PACKAGE: &str = ".covey.v1.";

// Numbers of fields in descriptor.proto: parts of the paths of comments.
const MESSAGES: i32 = 4;
const ENUMS: i32 = 5;
const SERVICES: i32 = 6;
const FIELDS_OR_METHODS: i32 = 2;

/// A path that is served as JSON over HTTP.
#[derive(Clone, Copy, Debug)]
pub struct HttpPath {
    /// `get`, or `post` with the request as the body.
    pub verb: &'static str,
    /// Such as `/v1/feed`.
    pub path: &'static str,
    /// The method of the gRPC service that it calls.
    pub method: &'static str,
    /// Fields of the request that a `get` takes from the query string.
    pub query: &'static [&'static str],
}

/// The document for these paths. A path whose method does not exist is left out.
pub fn document(paths: &[HttpPath], version: &str) -> Value {
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap_or_default();
    let Some(file) = set.file.iter().find(|file| file.package() == "covey.v1") else {
        return Value::Null;
    };
    let comments = Comments::of(file);
    let mut schemas = Map::new();
    for (i, message) in (0..).zip(&file.message_type) {
        schemas.insert(message.name().to_owned(), object(message, i, &comments));
    }
    for (i, one) in (0..).zip(&file.enum_type) {
        schemas.insert(one.name().to_owned(), names(one, i, &comments));
    }
    schemas.insert("Error".to_owned(), error());
    let mut served = Map::new();
    for path in paths {
        if let Some(operation) = operation(path, file, &comments) {
            served.insert(path.path.to_owned(), json!({ path.verb: operation }));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Covey",
            "version": version,
            "description": "Personalised feeds from a sharded, replicated cluster. Bodies are canonical proto3 JSON: fields with their default \
                            value may be left out, 64-bit integers are strings on the way out and numbers or strings on the way in."
        },
        "paths": served,
        "components": { "schemas": schemas }
    })
}

/// What stands before each declaration.
struct Comments<'a>(&'a [Location]);

impl<'a> Comments<'a> {
    fn of(file: &'a FileDescriptorProto) -> Comments<'a> {
        Comments(file.source_code_info.as_ref().map_or(&[], |info| &info.location))
    }

    fn at(&self, path: &[i32]) -> String {
        let location = self.0.iter().find(|location| location.path == path);
        let lines = location.map(|location| location.leading_comments().lines().map(str::trim));
        lines.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

fn operation(path: &HttpPath, file: &FileDescriptorProto, comments: &Comments<'_>) -> Option<Value> {
    let service = file.service.first()?;
    let (i, method) = (0..)
        .zip(&service.method)
        .find(|(_, method)| method.name() == path.method)?;
    let mut operation = json!({
        "operationId": path.method,
        "description": comments.at(&[SERVICES, 0, FIELDS_OR_METHODS, i]),
        "responses": {
            "200": { "description": "The reply", "content": body(&reference(method.output_type())) },
            "default": { "description": "An error", "content": body(&reference("Error")) }
        }
    });
    if path.verb == "post" {
        operation["requestBody"] = json!({ "content": body(&reference(method.input_type())) });
        return Some(operation);
    }
    let request = method.input_type().trim_start_matches(PACKAGE);
    let (at, message) = (0..)
        .zip(&file.message_type)
        .find(|(_, message)| message.name() == request)?;
    let fields = (0..).zip(&message.field);
    let parameter = |(i, field): (i32, &FieldDescriptorProto)| {
        json!({
            "name": field.name(),
            "in": "query",
            "description": comments.at(&[MESSAGES, at, FIELDS_OR_METHODS, i]),
            "schema": scalar(field)
        })
    };
    let asked = fields.filter(|(_, field)| path.query.contains(&field.name()));
    operation["parameters"] = asked.map(parameter).collect();
    Some(operation)
}

fn body(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{}", name.trim_start_matches(PACKAGE)) })
}

fn object(message: &DescriptorProto, at: i32, comments: &Comments<'_>) -> Value {
    let mut properties = Map::new();
    for (i, field) in (0..).zip(&message.field) {
        let mut schema = match (entry(message, field), field.label()) {
            (Some(value), _) => json!({ "type": "object", "additionalProperties": scalar(value) }),
            (None, Label::Repeated) => json!({ "type": "array", "items": scalar(field) }),
            (None, _) => scalar(field),
        };
        schema["description"] = comments.at(&[MESSAGES, at, FIELDS_OR_METHODS, i]).into();
        properties.insert(field.name().to_owned(), schema);
    }
    json!({
        "type": "object",
        "description": comments.at(&[MESSAGES, at]),
        "properties": properties,
        "additionalProperties": false
    })
}

/// Of a map: the field of its values.
fn entry<'a>(message: &'a DescriptorProto, field: &FieldDescriptorProto) -> Option<&'a FieldDescriptorProto> {
    let mut nested = message.nested_type.iter();
    let entry = nested.find(|nested| {
        field
            .type_name()
            .ends_with(&format!(".{}.{}", message.name(), nested.name()))
    })?;
    entry.field.iter().find(|field| field.name() == "value")
}

/// A value of the field's type; of a list one of them.
fn scalar(field: &FieldDescriptorProto) -> Value {
    match field.r#type() {
        Type::Bool => json!({ "type": "boolean" }),
        Type::String => json!({ "type": "string" }),
        Type::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Type::Float => json!({ "type": "number", "format": "float" }),
        Type::Double => json!({ "type": "number", "format": "double" }),
        Type::Int32 | Type::Sint32 | Type::Sfixed32 => json!({ "type": "integer", "format": "int32" }),
        Type::Uint32 | Type::Fixed32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Type::Int64 | Type::Sint64 | Type::Sfixed64 => json!({ "type": ["string", "integer"], "format": "int64" }),
        Type::Uint64 | Type::Fixed64 => json!({ "type": ["string", "integer"], "format": "uint64" }),
        Type::Message | Type::Enum | Type::Group => reference(field.type_name()),
    }
}

fn names(one: &EnumDescriptorProto, at: i32, comments: &Comments<'_>) -> Value {
    let values = (0..).zip(&one.value);
    let says = values.map(|(i, value)| {
        let comment = comments.at(&[ENUMS, at, FIELDS_OR_METHODS, i]);
        format!("\n- `{}`: {comment}", value.name())
    });
    let names: Vec<&str> = one.value.iter().map(|value| value.name()).collect();
    json!({
        "type": "string",
        "enum": names,
        "description": comments.at(&[ENUMS, at]) + &says.collect::<String>()
    })
}

/// The body of an error, which is no protobuf message: over gRPC its fields are the status.
fn error() -> Value {
    json!({
        "type": "object",
        "description": "Why there is no reply. The trace id is also in the header x-covey-trace-id.",
        "properties": {
            "code": { "type": "string", "description": "The gRPC code, such as INVALID_ARGUMENT." },
            "message": { "type": "string", "description": "What happened, where, and what to do." },
            "retry_after_ms": { "type": "integer", "minimum": 0, "description": "Try again after this long; 0 = that does not help." },
            "trace_id": { "type": "string", "description": "The request's trace." }
        }
    })
}

#[cfg(test)]
#[path = "openapi_test.rs"]
mod tests;
