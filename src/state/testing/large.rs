//! Large states that look like those of a grown AWS monolith: about 2 KB per resource, a shared base in the root
//! module, one module per service.

use std::fmt::Write as _;

use super::Random;

/// A large state and what is in it.
#[derive(Clone, Debug)]
pub struct LargeState {
    /// The text, in Terraform's layout.
    pub text: String,
    /// Names of the service modules: `module.<name>`.
    pub services: Vec<String>,
}

const KINDS: &[&str] = &[
    "aws_cloudwatch_metric_alarm",
    "aws_dynamodb_table",
    "aws_iam_role",
    "aws_lambda_function",
    "aws_security_group",
    "aws_sqs_queue",
    "aws_ssm_parameter",
];
const BASE: &[&str] = &["aws_kms_key", "aws_subnet", "aws_vpc"];
const PROVIDER: &str = "provider[\\\"registry.terraform.io/hashicorp/aws\\\"]";

/// Makes a state of that many resources in a hundred service modules (fewer where there are few resources), over a
/// base of one resource in twenty. The same arguments give the same bytes.
pub fn generate_state(resources: usize, seed: u64) -> LargeState {
    let mut random = Random::new(seed);
    let service_count = (resources / 10).clamp(1, 100);
    let services: Vec<String> = (0..service_count)
        .map(|index| format!("svc_{index:03}"))
        .collect();
    let base = resources / 20;
    let mut text = String::with_capacity(resources * 2200 + 1000);
    text.push_str(
        "{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": 4711,\n  \"lineage\": \"5f9a3a1c-0b2e-77f0-9f6e-2d3f5b8f1a10\",\n  \"outputs\": {\n    \"vpc_id\": {\n      \"value\": \"vpc-0a1b2c3d\",\n      \"type\": \"string\"\n    }\n  },\n  \"resources\": [",
    );
    let mut first = true;
    let mut begin = |text: &mut String| {
        text.push_str(if std::mem::take(&mut first) {
            "\n    "
        } else {
            ",\n    "
        });
    };
    for (kind_index, kind) in BASE.iter().enumerate() {
        for index in (kind_index..base).step_by(BASE.len()) {
            begin(&mut text);
            entry(&mut text, None, kind, index, &mut random, base);
        }
    }
    let rest = resources - base;
    for (service_index, service) in services.iter().enumerate() {
        let count = rest / service_count + usize::from(service_index < rest % service_count);
        for (kind_index, kind) in KINDS.iter().enumerate() {
            for index in (kind_index..count).step_by(KINDS.len()) {
                begin(&mut text);
                entry(&mut text, Some(service), kind, index, &mut random, base);
            }
        }
    }
    text.push_str("\n  ],\n  \"check_results\": null\n}\n");
    LargeState { text, services }
}

fn entry(
    text: &mut String,
    service: Option<&String>,
    kind: &str,
    index: usize,
    random: &mut Random,
    base: usize,
) {
    text.push('{');
    if let Some(service) = service {
        let _ = write!(text, "\n      \"module\": \"module.{service}\",");
    }
    let _ = write!(
        text,
        "\n      \"mode\": \"managed\",\n      \"type\": \"{kind}\",\n      \"name\": \"item_{index:06}\",\n      \"provider\": \"{PROVIDER}\",\n      \"instances\": [\n        {{\n          \"schema_version\": 0,\n          \"attributes\": {{"
    );
    attributes(text, kind, index, random);
    text.push_str("\n          },\n          \"sensitive_attributes\": [],\n          \"private\": \"eyJlMmJmYjczMC1lY2FhLTExZTYtOGY4OC0zNDM2M2JjN2M0YzAiOnsiY3JlYXRlIjo2MDAwMDAwMDAwMDAsImRlbGV0ZSI6MTgwMDAwMDAwMDAwfSwic2NoZW1hX3ZlcnNpb24iOiIxIn0=\"");
    let mut dependencies = Vec::new();
    if let Some(service) = service {
        for _ in 0..3 {
            let at = random.below(base.max(1));
            if at < base {
                dependencies.push(format!("{}.item_{at:06}", BASE[at % BASE.len()]));
            }
        }
        if index >= KINDS.len() {
            let at = random.below(index / KINDS.len() * KINDS.len());
            dependencies.push(format!(
                "module.{service}.{}.item_{at:06}",
                KINDS[at % KINDS.len()]
            ));
        }
        dependencies.sort();
        dependencies.dedup();
    }
    if !dependencies.is_empty() {
        text.push_str(",\n          \"dependencies\": [");
        for (at, dependency) in dependencies.iter().enumerate() {
            text.push_str(if at == 0 { "\n" } else { ",\n" });
            let _ = write!(text, "            \"{dependency}\"");
        }
        text.push_str("\n          ]");
    }
    text.push_str("\n        }\n      ]\n    }");
}

fn attributes(text: &mut String, kind: &str, index: usize, random: &mut Random) {
    let id = random.next_u64();
    let _ = write!(
        text,
        "\n            \"arn\": \"arn:aws:service:eu-central-1:123456789012:{kind}/item-{index:06}-{id:016x}\",\n            \"id\": \"{id:016x}\",\n            \"name\": \"item-{index:06}\",\n            \"policy\": \"{{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":[\\\"sqs:SendMessage\\\"],\\\"Resource\\\":\\\"*\\\"}}]}}\",\n            \"timeouts\": null,\n            \"tags\": {{\n              \"Environment\": \"prod\",\n              \"Name\": \"item-{index:06}\",\n              \"Team\": \"team-{}\"\n            }},\n            \"ingress\": []",
        random.below(20)
    );
    for field in 0..10 + random.below(8) {
        let _ = match field % 4 {
            0 => write!(
                text,
                ",\n            \"setting_{field:02}_enabled\": {}",
                field % 3 == 0
            ),
            1 => write!(
                text,
                ",\n            \"setting_{field:02}_seconds\": {}",
                random.below(100_000)
            ),
            2 => write!(
                text,
                ",\n            \"setting_{field:02}_text\": \"{:032x}\"",
                random.next_u64()
            ),
            _ => write!(
                text,
                ",\n            \"setting_{field:02}_block\": [\n              {{\n                \"key\": \"value-{}\",\n                \"weight\": 0.25\n              }}\n            ]",
                random.below(1000)
            ),
        };
    }
}
