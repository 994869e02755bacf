//! What is told gives the same bytes again, and holds no content of a state.

use super::*;

const STATE: &str = r#"{
  "version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "l", "outputs": {},
  "resources": [
    {
      "mode": "managed", "type": "aws_db_instance", "name": "main",
      "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
      "instances": [
        {
          "schema_version": 0,
          "deposed": "0badc0de",
          "attributes": {"address": "deposed.example.internal"}
        },
        {
          "schema_version": 0,
          "attributes": {
            "address": "db.example.internal", "port": 5432.50, "tags": {"b": "1", "a": ["x\u003cy", null]},
            "password": "hunter2-hunter2", "empty": "", "on": true, "name": "shop"
          }
        }
      ]
    }
  ]
}"#;

fn source() -> StateId {
    StateId::Source("acme".parse().unwrap())
}

/// Tells of an output with this document, and returns what is told as text; it is made again first.
fn told(document: &str, sensitive: bool) -> String {
    let snapshot = Snapshot::read(STATE.as_bytes().to_vec()).unwrap().unwrap();
    let originals = BTreeMap::from([(source(), &snapshot)]);
    let value = OutputValue {
        at: At::new(StateId::Stack("db".parse().unwrap()), "contract".to_owned()),
        type_json: TEXT.to_owned(),
        value_json: json::quote(&Value::from_json(document).unwrap().to_json()),
        sensitive,
    };
    let (found, warnings) = presets(std::slice::from_ref(&value), &originals);
    let Some(preset) = found.first() else {
        return warnings[0].to_string();
    };
    assert!(warnings.is_empty());
    assert_eq!(values(&found, &originals).unwrap(), [value]);
    let other = STATE.replace("\"address\": \"db", "\"other\": \"db");
    let other = Snapshot::read(other.into_bytes()).unwrap().unwrap();
    assert!(
        values(&found, &BTreeMap::from([(source(), &other)])).is_err() || !document.contains("db.example")
    );
    shown(&preset.document)
}

fn shown(recipe: &Recipe) -> String {
    match recipe {
        Recipe::Plain(text) => text.clone(),
        Recipe::At(pointer) => place(pointer),
        Recipe::Text(pieces) => {
            let pieces: Vec<String> = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text) => format!("{text:?}"),
                    Piece::At(pointer) => place(pointer),
                })
                .collect();
            format!("text({})", pieces.join(" "))
        }
        Recipe::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Recipe::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, member)| format!("{name}: {}", shown(member)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

fn place(pointer: &Pointer) -> String {
    let steps: Vec<String> = pointer
        .path
        .iter()
        .map(|step| match step {
            Step::Name(name) => format!(".{name}"),
            Step::Index(index) => format!("[{index}]"),
        })
        .collect();
    format!("<{}{}>", pointer.address, steps.concat())
}

#[test]
fn values_are_pointed_at() {
    let table = [
        (
            r#"{"a":"db.example.internal"}"#,
            "{a: <aws_db_instance.main.address>}",
        ),
        (r#"[5432.50, 5432.5]"#, "[<aws_db_instance.main.port>, 5432.5]"),
        (
            r#"{"tags":{"a":["x<y",null],"b":"1"}}"#,
            "{tags: <aws_db_instance.main.tags>}",
        ),
        (r#"["x<y"]"#, "[<aws_db_instance.main.tags.a[0]>]"),
        (
            r#"{"x":true,"y":null,"z":"","l":[],"o":{}}"#,
            "{l: [], o: {}, x: true, y: null, z: text()}",
        ),
        (
            r#"["postgres://db.example.internal/shop"]"#,
            r#"[text("postgres://" <aws_db_instance.main.address> "/shop")]"#,
        ),
        (
            r#"["db.example.internal,db.example.internal"]"#,
            r#"[text(<aws_db_instance.main.address> "," <aws_db_instance.main.address>)]"#,
        ),
        (
            r#"["deposed.example.internal"]"#,
            r#"[text("deposed.example.internal")]"#,
        ),
        (r#"["plain text"]"#, r#"[text("plain text")]"#),
    ];
    for (document, expected) in table {
        assert_eq!(told(document, false), expected, "{document}");
    }
}

#[test]
fn a_secret_is_only_ever_pointed_at() {
    assert_eq!(
        told(r#"{"p":"hunter2-hunter2","n":null,"b":false}"#, true),
        "{b: false, n: null, p: <aws_db_instance.main.password>}"
    );
    for document in [r#"["user:hunter2-hunter2"]"#, "[1234]", r#"["other"]"#] {
        let warning = told(document, true);
        assert!(
            warning.starts_with(
                "warning: the output `contract` of `db` is not there before an apply: it holds a secret"
            ),
            "{warning}"
        );
        assert!(!warning.contains("hunter2"), "{warning}");
    }
}

#[test]
fn other_outputs_are_not_told() {
    let snapshot = Snapshot::read(STATE.as_bytes().to_vec()).unwrap().unwrap();
    let originals = BTreeMap::from([(source(), &snapshot)]);
    for (type_json, value_json) in [
        ("\"number\"", "1"),
        ("\"string\"", "\"no JSON\""),
        ("\"string\"", "\"[ 1 ]\""),
    ] {
        let value = OutputValue {
            at: At::new(source(), "x".to_owned()),
            type_json: type_json.to_owned(),
            value_json: value_json.to_owned(),
            sensitive: false,
        };
        let (found, warnings) = presets(&[value], &originals);
        assert!(found.is_empty() && warnings.len() == 1, "{value_json}");
    }
}
