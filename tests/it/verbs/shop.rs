//! The shop: a monolith's code and state, and the stacks it is cut into.

/// Every stack of the plan file.
pub(super) const STACKS: [&str; 5] = ["base", "network", "orders", "payments", "search"];

/// What each of them takes.
pub(super) const TAKES: [&str; 5] = ["key", "vpc", "queue", "ledger", "index"];

/// What stays when all that moves is taken out of the code.
pub(super) const CODE_AFTER: &str = "resource \"terraform_data\" \"kept\" {\n  input = \"kept\"\n}\n";

pub(super) const LINEAGE: &str = "11111111-2222-3333-4444-555555555555";

/// The monolith's code.
pub(super) fn code() -> String {
    let mut text = CODE_AFTER.to_owned();
    for take in TAKES {
        let each = if take == "queue" {
            "  for_each = toset([\"a.b\", \"é\"])\n"
        } else {
            ""
        };
        text.push_str(&format!(
            "\nresource \"terraform_data\" \"{take}\" {{\n{each}}}\n"
        ));
    }
    text
}

/// The monolith's state; `secret` stands in every value.
pub(super) fn state(secret: &str) -> String {
    let object = |id: &str, key: &str, more: &str| {
        format!(
            "        {{\n{key}          \"schema_version\": 0,\n          \"attributes\": {{\n            \"id\": \"{id}{secret}\",\n            \
             \"input\": null,\n            \"output\": null,\n            \"triggers_replace\": null\n          }},\n          \
             \"sensitive_attributes\": [],\n          \"private\": \"cHJpdmF0ZQ=={secret}\"{more}\n        }}"
        )
    };
    let resource = |name: &str, objects: &[String]| {
        format!(
            "    {{\n      \"mode\": \"managed\",\n      \"type\": \"terraform_data\",\n      \"name\": \"{name}\",\n      \
             \"provider\": \"provider[\\\"terraform.io/builtin/terraform\\\"]\",\n      \"instances\": [\n{}\n      ]\n    }}",
            objects.join(",\n")
        )
    };
    let needs = ",\n          \"dependencies\": [\n            \"terraform_data.vpc\"\n          ]";
    let keyed = |key: &str| object(key, &format!("          \"index_key\": \"{key}\",\n"), "");
    let resources = [
        resource("index", &[object("index", "", needs)]),
        resource("kept", &[object("kept", "", needs)]),
        resource("key", &[object("key", "", "")]),
        resource("ledger", &[object("ledger", "", "")]),
        resource("queue", &[keyed("a.b"), keyed("é")]),
        resource("vpc", &[object("vpc", "", "")]),
    ];
    format!(
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": 5,\n  \"lineage\": \"{LINEAGE}\",\n  \
         \"outputs\": {{\n    \"url\": {{\n      \"value\": \"url{secret}\",\n      \"type\": \"string\"\n    }}\n  }},\n  \
         \"resources\": [\n{}\n  ],\n  \"check_results\": null\n}}\n",
        resources.join(",\n")
    )
}
