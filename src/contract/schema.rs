//! A JSON Schema per contract: what consumers may count on.

use std::collections::BTreeMap;

use super::value::Value;

/// Returns the schema of a producer's document; halves that are not known before an apply may be anything.
pub fn of_contract(producer: &str, public: Option<&Value>, private: Option<&Value>) -> String {
    let text = |text: &str| Value::String(text.to_owned());
    let half = |value: Option<&Value>| value.map_or_else(|| object([("type", text("object"))]), of_value);
    let schema = object([
        ("$schema", text("https://json-schema.org/draft/2020-12/schema")),
        ("title", text(&format!("Contract of {producer}"))),
        ("type", text("object")),
        (
            "required",
            Value::List(vec![text("installed"), text("private"), text("public")]),
        ),
        (
            "properties",
            object([
                ("installed", object([("type", text("boolean"))])),
                ("public", half(public)),
                ("private", half(private)),
            ]),
        ),
    ]);
    pretty(&schema)
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// Returns the schema that a value fits; members may be added, none may go.
fn of_value(value: &Value) -> Value {
    let named = |name: &str| ("type", Value::String(name.to_owned()));
    match value {
        // What is null today may be anything tomorrow.
        Value::Null => object([]),
        Value::List(items) => {
            let mut schemas: Vec<Value> = Vec::new();
            for schema in items.iter().map(of_value) {
                if !schemas.contains(&schema) {
                    schemas.push(schema);
                }
            }
            match schemas.len() {
                1 => object([named("array"), ("items", schemas.remove(0))]),
                _ => object([named("array")]),
            }
        }
        Value::Object(members) => {
            let properties: BTreeMap<String, Value> = members
                .iter()
                .map(|(name, value)| (name.clone(), of_value(value)))
                .collect();
            let required = members.keys().map(|name| Value::String(name.clone())).collect();
            object([
                named("object"),
                ("required", Value::List(required)),
                ("properties", Value::Object(properties)),
            ])
        }
        scalar => object([named(scalar.type_name())]),
    }
}

/// Writes JSON for people: two blanks per level.
pub fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out.push('\n');
    out
}

fn write(value: &Value, indent: usize, out: &mut String) {
    let line = |out: &mut String, indent: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
    };
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(out, indent + 2);
                write(item, indent + 2, out);
            }
            line(out, indent);
            out.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            out.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(out, indent + 2);
                crate::json::quote_into(name, out);
                out.push_str(": ");
                write(value, indent + 2, out);
            }
            line(out, indent);
            out.push('}');
        }
        other => out.push_str(&other.to_json()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_says_what_may_be_counted_on() {
        let public = Value::from_json(r#"{"vpc":{"main":{"id":"vpc-1","cidrs":["a","b"],"gone":null}}}"#);
        let schema = of_contract("network", public.as_ref(), None);
        let schema = Value::from_json(&schema).unwrap();
        let main = ["properties", "public", "properties", "vpc", "properties", "main"]
            .iter()
            .try_fold(&schema, |at, step| at.get(step))
            .unwrap();
        assert_eq!(
            main.get("required").unwrap().to_json(),
            r#"["cidrs","gone","id"]"#
        );
        assert_eq!(
            main.get("properties").unwrap().to_json(),
            r#"{"cidrs":{"items":{"type":"string"},"type":"array"},"gone":{},"id":{"type":"string"}}"#
        );
        assert!(
            !schema.to_json().contains("vpc-1"),
            "values are no part of a schema"
        );
    }
}
