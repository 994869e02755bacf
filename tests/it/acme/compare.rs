//! Compares two states of the same code that were made by different runs.
//!
//! What AWS chooses (identifiers, addresses, times) differs in every run. Each such value is replaced by the name of the
//! attribute that owns it, everywhere it occurs: `vpc-27ab…` becomes `<aws_vpc.main.id>`, also inside of policies. So a
//! reference has to lead to the same place in both states, and everything else has to be equal.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Attributes whose value AWS chooses, and which others refer to.
const OWNED: &[(&str, &[&str])] = &[
    (
        "aws_vpc",
        &[
            "id",
            "main_route_table_id",
            "default_network_acl_id",
            "default_security_group_id",
        ],
    ),
    ("aws_subnet", &["id"]),
    ("aws_internet_gateway", &["id"]),
    (
        "aws_eip",
        &[
            "id",
            "association_id",
            "network_interface",
            "private_dns",
            "private_ip",
            "public_dns",
            "public_ip",
        ],
    ),
    ("aws_nat_gateway", &["id"]),
    ("aws_route_table", &["id"]),
    ("aws_route_table_association", &["id"]),
    ("aws_security_group", &["id"]),
    ("aws_vpc_endpoint", &["id", "prefix_list_id"]),
    ("aws_kms_key", &["key_id"]),
    ("aws_route53_zone", &["zone_id"]),
    ("aws_sns_topic_subscription", &["arn"]),
    ("aws_dynamodb_table", &["stream_label"]),
    ("terraform_data", &["id"]),
];

/// Attributes that are made up or computed from such values, and which nobody refers to.
const OWN_BUSINESS: &[(&str, &[&str])] = &[
    ("aws_security_group_rule", &["id"]),
    ("aws_iam_role", &["create_date", "unique_id"]),
    ("aws_iam_policy", &["policy_id"]),
    ("aws_iam_role_policy_attachment", &["id"]),
    ("aws_s3_bucket_object", &["version_id"]),
    ("aws_iam_policy_document", &["id"]),
];

/// Lists without an order of their own: sets of such values are in the order of hashes, the blocks of a security group in
/// the order in which its rules were made.
const SETS: &[&str] = &[
    "ingress",
    "egress",
    "cidr_blocks",
    "route",
    "route_table_ids",
    "security_groups",
    "inline_policy",
];

/// Returns one line for every difference; none if only what AWS chooses differs.
///
/// Serial, lineage, the version of Terraform and the version of an identity that no resource has are not compared.
pub fn differences(committed: &str, made: &str) -> Vec<String> {
    let [committed, made] = [committed, made].map(|text| {
        let state = serde_json::from_str(text).expect("a state is JSON");
        comparable(&state)
    });
    let mut found = Vec::new();
    compare("", &committed, &made, &mut found);
    found
}

/// The state by address, with names in the place of chosen values.
fn comparable(state: &Value) -> Value {
    let mut names = Vec::new();
    let mut objects: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for resource in list(&state["resources"]) {
        for instance in list(&resource["instances"]) {
            let address = address(resource, instance);
            objects.entry(address.clone()).or_default();
            name_owned(&address, resource, instance, &mut names);
        }
    }
    // A value may be part of a longer one.
    names.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    for resource in list(&state["resources"]) {
        for instance in list(&resource["instances"]) {
            let object = object(resource, instance, &names);
            objects
                .entry(address(resource, instance))
                .or_default()
                .push(object);
        }
    }
    let mut by_address = Map::new();
    for (address, mut same) in objects {
        // Several deposed objects of one instance are in the order of their random keys.
        same.sort_by_key(Value::to_string);
        by_address.insert(address, Value::Array(same));
    }
    let mut checks = renamed(&state["check_results"], &names);
    if let Value::Array(checks) = &mut checks {
        checks.sort_by_key(Value::to_string);
    }
    let mut result = Map::new();
    result.insert("version".to_owned(), state["version"].clone());
    result.insert("outputs".to_owned(), renamed(&state["outputs"], &names));
    result.insert("check_results".to_owned(), checks);
    result.insert("resources".to_owned(), Value::Object(by_address));
    Value::Object(result)
}

/// Address of an object, good enough to tell it from all others; deposed objects of one instance share theirs.
fn address(resource: &Value, instance: &Value) -> String {
    let text = |field: &str| resource[field].as_str().unwrap_or_default();
    let key = instance
        .get("index_key")
        .map(|key| format!("[{key}]"))
        .unwrap_or_default();
    let deposed = if instance.get("deposed").is_some() {
        " (deposed)"
    } else {
        ""
    };
    format!(
        "{} {} {}.{}{key}{deposed}",
        text("module"),
        text("mode"),
        text("type"),
        text("name")
    )
    .trim_start()
    .to_owned()
}

fn name_owned(address: &str, resource: &Value, instance: &Value, names: &mut Vec<(String, String)>) {
    for attribute in attributes_of(OWNED, resource) {
        if let Some(value) = instance["attributes"][attribute].as_str()
            && !value.is_empty()
            && !names.iter().any(|(known, _)| known == value)
        {
            names.push((value.to_owned(), format!("<{address}.{attribute}>")));
        }
    }
}

fn object(resource: &Value, instance: &Value, names: &[(String, String)]) -> Value {
    let mut object = instance.as_object().expect("an instance is an object").clone();
    object.remove("identity_schema_version");
    object.insert("provider".to_owned(), resource["provider"].clone());
    if let Some(deposed) = object.get_mut("deposed") {
        *deposed = Value::from("<deposed>");
    }
    if let Some(Value::Object(attributes)) = object.get_mut("attributes") {
        for attribute in attributes_of(OWN_BUSINESS, resource) {
            if let Some(value @ Value::String(_)) = attributes.get_mut(*attribute) {
                *value = Value::from("<own business>");
            }
        }
    }
    if let Some(Value::Array(paths)) = object.get_mut("sensitive_attributes") {
        paths.sort_by_key(Value::to_string);
    }
    renamed(&Value::Object(object), names)
}

fn attributes_of<'a>(table: &'a [(&str, &[&str])], resource: &Value) -> &'a [&'a str] {
    let entry = table.iter().find(|(kind, _)| resource["type"] == *kind);
    entry.map_or(&[], |(_, attributes)| attributes)
}

/// The value with names in the place of chosen values, and sets in an order of their own.
fn renamed(value: &Value, names: &[(String, String)]) -> Value {
    match value {
        Value::String(text) => Value::from(
            names
                .iter()
                .fold(text.clone(), |text, (chosen, name)| text.replace(chosen, name)),
        ),
        Value::Array(items) => items.iter().map(|item| renamed(item, names)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(field, value)| {
                let mut value = renamed(value, names);
                if let (Value::Array(items), true) = (&mut value, SETS.contains(&field.as_str())) {
                    items.sort_by_key(Value::to_string);
                }
                (field.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

fn compare(path: &str, committed: &Value, made: &Value, found: &mut Vec<String>) {
    match (committed, made) {
        (Value::Object(before), Value::Object(after)) => {
            for (field, value) in before {
                match after.get(field) {
                    Some(other) => compare(&format!("{path}/{field}"), value, other, found),
                    None => found.push(format!("{path}/{field}: only in the committed state")),
                }
            }
            for field in after.keys().filter(|field| !before.contains_key(*field)) {
                found.push(format!("{path}/{field}: only in the state that was made"));
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (i, (value, other)) in before.iter().zip(after).enumerate() {
                compare(&format!("{path}/{i}"), value, other, found);
            }
        }
        _ if committed == made => {}
        _ => found.push(format!("{path}: committed {committed}, made {made}")),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
