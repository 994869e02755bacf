//! `apply`: what it shows, asks, does, and refuses.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::desk::{Desk, PLAN};
use super::shop::{LINEAGE, STACKS};

#[test]
fn an_apply_moves_everything_and_a_second_one_nothing() {
    let desk = Desk::local();
    let first = desk.apply().code(0);
    assert!(
        first.stdout.contains("6 instances moved into 5 stacks"),
        "{first}"
    );
    let states = desk.states();
    for (name, state) in &states {
        let state = state.as_ref().unwrap();
        let is_source = name == "shop";
        assert_eq!(state.contains(LINEAGE), is_source, "{state}");
        assert!(
            state.contains(if is_source {
                "\"serial\": 6"
            } else {
                "\"serial\": 1"
            }),
            "{state}"
        );
        assert_eq!(state.contains("\"name\": \"kept\""), is_source);
    }
    // The source alone is locked: its code still declares what moved.
    assert_eq!(desk.leftovers().len(), 1);
    let again = desk.transcript(&["apply", PLAN, "--auto-approve"]);
    insta::assert_snapshot!(again, @r"
    exit code 0
    --- stdout
    shop, environment default: nothing to do
      next: `stackcut release ID`
    --- stderr
    ✓ computed plans/shop.hcl, environment default
    ");
    desk.clear_code();
    desk.on("release", &desk.id(), &[]).code(0);
    desk.apply().code(0);
    assert_eq!(desk.states(), states);
    assert!(desk.leftovers().is_empty());
    insta::assert_snapshot!(desk.transcript(&["plan", PLAN]), @r"
    exit code 0
    --- stdout
    shop: nothing to do, environment default
    --- stderr
    ✓ computed plans/shop.hcl, environment default
    ");
}

#[test]
fn an_apply_says_what_it_did() {
    let desk = Desk::local();
    insta::assert_snapshot!(desk.transcript(&["apply", PLAN, "--auto-approve"]), @r"
    exit code 0
    --- stdout
    shop: 6 instances moved into 5 stacks, environment default

      state     layer     resources  objects   size  serial  reads from
      shop      (source)          1        1  719 B   5 → 6  –
      base      service           1        1  650 B       1  –
      network   service           1        1  650 B       1  –
      orders    service           1        2  992 B       1  –
      payments  service           1        1  656 B       1  –
      search    service           1        1  654 B       1  –

      what moves:
        base      1 terraform_data
                  → /home/base/terraform.tfstate
        network   1 terraform_data
                  → /home/network/terraform.tfstate
        orders    2 terraform_data
                  → /home/orders/terraform.tfstate
        payments  1 terraform_data
                  → /home/payments/terraform.tfstate
        search    1 terraform_data
                  → /home/search/terraform.tfstate

      order of apply: base, network, orders, payments, search, shop

    ✓ nothing lost, doubled or altered: 7 objects in exactly one state each: 6 moved, 0 stayed byte for byte, 1 stayed but for their dependencies
    ✓ lineages and serials: 6 states written, 0 unchanged
    ✓ no stacks depend on each other: 0 dependencies cross, in one direction each
    ✓ code and states fit: 6 root modules with a block for every object and a target for every reference; 0 contracts with 0 values that cross

    migration ID: done, 6 instances moved, 6 states written
      locked until it is released: shop. Code that still declares what moved would create it again
      next: remove what moved from the code, then `stackcut release ID`
    --- stderr
    ✓ computed plans/shop.hcl, environment default
    ✓ locked 6 states
    ✓ read 6 states
    ✓ backed up 1 state
    ✓ wrote 5 states
    ✓ read back 5 states
    ✓ wrote 1 state
    ✓ read back 1 state
    ✓ unlocked 5 states
    ");
}

#[test]
fn a_pipe_is_not_asked() {
    let desk = Desk::local();
    let before = desk.states();
    for verb in ["undo", "discard"] {
        let refused = desk.on(verb, "nope", &[]).code(1);
        assert!(refused.stderr.contains("there is no migration nope"), "{refused}");
    }
    let refused = desk.run(&["apply", PLAN]).code(64);
    assert!(
        refused
            .stderr
            .contains("run `stackcut apply` with --auto-approve"),
        "{refused}"
    );
    assert_eq!(desk.states(), before);
    assert!(desk.migrations().is_empty());
    desk.apply().code(0);
    let refused = desk.on("undo", &desk.id(), &[]).code(64);
    assert!(
        refused.stderr.contains("run `stackcut undo` with --auto-approve"),
        "{refused}"
    );
}

#[test]
fn json_is_one_object_with_a_version() {
    let desk = Desk::local();
    let ended = desk
        .run(&["apply", PLAN, "--auto-approve", "--format", "json"])
        .code(0);
    let json = ended.json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["command"], "apply");
    let run = &json["runs"][0];
    assert_eq!(run["ending"], "fenced");
    assert_eq!(run["fence"][0], "shop");
    assert_eq!(run["plan"]["moves"], 6);
    let id = run["migration"].as_str().unwrap();
    assert_eq!(run["next"], format!("stackcut release {id}"));
    let json = desk.on("resume", id, &["--format", "json"]).code(0).json();
    assert_eq!(json["runs"][0]["ending"], "fenced");
    desk.clear_code();
    let json = desk.on("release", id, &["--format", "json"]).code(0).json();
    assert_eq!(json["runs"][0]["ending"], "completed");
    let json = desk.run(&["history", "--format", "json"]).code(0).json();
    assert_eq!(json["migrations"][0]["phase"], "completed");
    let json = desk
        .on("undo", id, &["--auto-approve", "--format", "json"])
        .code(0)
        .json();
    assert_eq!(json["runs"][0]["ending"], "undone");
    let json = desk
        .on("discard", id, &["--auto-approve", "--format", "json"])
        .code(0)
        .json();
    assert_eq!(json["runs"][0]["ending"], "discarded");
}

/// Every field that is written is explained in `docs/json.md`.
#[test]
fn every_field_of_the_json_is_documented() {
    fn keys(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(members) => {
                for (key, value) in members {
                    found.insert(key.clone());
                    keys(value, found);
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }
    let desk = Desk::local();
    let mut found = BTreeSet::new();
    let apply = desk
        .run(&["apply", PLAN, "--auto-approve", "--format", "json"])
        .code(0);
    keys(&apply.json(), &mut found);
    let refused = desk.on("release", &desk.id(), &["--format", "json"]).code(2);
    keys(&refused.json(), &mut found);
    let refused = desk.run(&["plan", "nope.hcl", "--format", "json"]).code(64);
    keys(&refused.json(), &mut found);
    keys(
        &desk.run(&["status", "--format", "json"]).code(0).json(),
        &mut found,
    );
    assert!(found.len() > 40, "{found:?}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md");
    let page = fs::read_to_string(page).unwrap();
    for key in found {
        let is_there = page
            .split('`')
            .skip(1)
            .step_by(2)
            .any(|word| word.rsplit('.').next() == Some(&key));
        assert!(is_there, "`{key}` is not in docs/json.md");
    }
}

#[test]
fn a_saved_plan_is_carried_out_as_it_was_saved() {
    let desk = Desk::local();
    desk.run(&["plan", PLAN, "--out", "saved.json"]).code(2);
    // What the plan file says by now does not matter.
    desk.put_file(PLAN, &desk.plan(&["orders"]));
    insta::assert_snapshot!(desk.transcript(&["apply", "saved.json", "--auto-approve"]), @r"
    exit code 0
    --- stdout
    shop: 6 instances move into other states, environment default, from a saved plan

      state     gets  gives  serial  location
      base         1      –       1  /home/base/terraform.tfstate
      network      1      –       1  /home/network/terraform.tfstate
      orders       2      –       1  /home/orders/terraform.tfstate
      payments     1      –       1  /home/payments/terraform.tfstate
      search       1      –       1  /home/search/terraform.tfstate
      shop         –      6   5 → 6  /home/mono/terraform.tfstate

    migration ID: done, 6 instances moved, 6 states written
      locked until it is released: shop. Code that still declares what moved would create it again
      next: remove what moved from the code, then `stackcut release ID`
    --- stderr
    ✓ locked 6 states
    ✓ read 6 states
    ✓ backed up 1 state
    ✓ wrote 5 states
    ✓ read back 5 states
    ✓ wrote 1 state
    ✓ read back 1 state
    ✓ unlocked 5 states
    ");
    assert!(STACKS.iter().all(|stack| desk.get(stack).is_some()));
    insta::assert_snapshot!(desk.transcript(&["apply", "saved.json", "--auto-approve"]), @r"
    exit code 0
    --- stdout
    shop, environment default: nothing to do
      next: `stackcut release ID`
    ");
}

#[test]
fn a_saved_plan_is_refused_once_a_state_moved_on() {
    let desk = Desk::local();
    desk.run(&["plan", PLAN, "--out", "saved.json"]).code(2);
    let original = desk.get("shop").unwrap();
    desk.put("shop", &original.replace("\"serial\": 5", "\"serial\": 7"));
    insta::assert_snapshot!(desk.transcript(&["apply", "saved.json", "--auto-approve"]), @r"
    exit code 4
    --- stderr
    error: state `shop` changed since the plan was made
      = note: `shop` (/home/mono/terraform.tfstate): planned serial 5 of lineage 11111111-2222-3333-4444-555555555555, found serial 7 of lineage 11111111-2222-3333-4444-555555555555
      = note: nothing was written
    hint: run `stackcut plan` again and review the difference
    ");
    // The same serial with other content is no better.
    desk.put("shop", &original.replace("\"url\"", "\"uri\""));
    let refused = desk.run(&["apply", "saved.json", "--auto-approve"]).code(4);
    assert!(refused.stderr.contains("with other content"), "{refused}");
    desk.put("shop", &original);
    desk.put("orders", &original.replace(LINEAGE, "other"));
    let refused = desk.run(&["apply", "saved.json", "--auto-approve"]).code(4);
    assert!(
        refused
            .stderr
            .contains("planned no state, found serial 5 of lineage other"),
        "{refused}"
    );
    assert!(desk.leftovers().is_empty() && desk.get("base").is_none());
    fs::remove_dir_all(desk.path("orders")).unwrap();
    desk.run(&["apply", "saved.json", "--auto-approve"]).code(0);
}

#[test]
fn several_are_carried_out_in_order_until_one_fails() {
    let desk = Desk::local();
    let environments = |names: &[&str]| {
        let blocks: Vec<String> = names
            .iter()
            .map(|name| format!("  environment \"{name}\" {{\n    values = {{ env = \"{name}\" }}\n  }}\n"))
            .collect();
        desk.plan(&STACKS)
            .replace(
                "dir = \"../mono\"",
                "dir   = \"../mono\"\n    state = \"${env}.tfstate\"",
            )
            .replace("../${stack}/", "../${env}/${stack}-")
            .replacen("  defaults", &format!("{}\n  defaults", blocks.concat()), 1)
    };
    desk.put_file(PLAN, &environments(&["a", "b", "c"]));
    let state = desk.get("shop").unwrap();
    for name in ["a", "b", "c"] {
        desk.put_file(&format!("mono/{name}.tfstate"), &state);
    }
    let lock = desk.lock_by_kim("mono/b.tfstate");
    let ended = desk.apply().code(3);
    let stderr = desk.stable(&ended.stderr);
    assert!(
        stderr.contains("carried out: shop (a); not begun: shop (c)"),
        "{stderr}"
    );
    assert!(
        stderr.contains("locked by kim@desk since 2026-11-25 08:00:00 UTC"),
        "{stderr}"
    );
    assert!(desk.path("a/orders-terraform.tfstate").exists());
    assert!(!desk.path("b").join("orders-terraform.tfstate").exists());
    assert!(!desk.path("c").exists());
    fs::remove_dir_all(lock).unwrap();
    let ended = desk
        .run(&["apply", PLAN, "--auto-approve", "--env", "[bc]"])
        .code(64);
    assert!(ended.stderr.contains("no environment matches"), "{ended}");
    desk.run(&["apply", PLAN, "--auto-approve", "--env", "b"]).code(0);
    let ended = desk.apply().code(0);
    assert_eq!(ended.stdout.matches("nothing to do").count(), 2, "{ended}");
    assert!(desk.path("c/orders-terraform.tfstate").exists());
}

#[test]
fn two_migrations_of_one_state_are_not_one_run() {
    let desk = Desk::local();
    desk.put_file(
        "plans/other.hcl",
        &desk.plan(&["orders"]).replace("orders/", "x/"),
    );
    let refused = desk
        .run(&["apply", PLAN, "plans/other.hcl", "--auto-approve"])
        .code(64);
    assert!(
        refused.stderr.contains("is changed by two of these migrations"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("apply them one after the other"),
        "{refused}"
    );
    assert!(desk.migrations().is_empty());
}

/// One service at a time is peeled off; the next one while the fence of the first still stands.
#[test]
fn peeling_goes_on_once_the_fence_is_down() {
    let desk = Desk::local();
    desk.put_file(PLAN, &desk.plan(&["orders"]));
    desk.apply().code(0);
    let first = desk.id();
    desk.put_file(PLAN, &desk.plan(&["orders", "network"]));
    let refused = desk.apply().code(3);
    assert!(
        refused
            .stderr
            .contains(&format!("run `stackcut release {first}`")),
        "{refused}"
    );
    let code = fs::read_to_string(desk.path("mono/main.tf")).unwrap();
    let queue = code.find("\nresource \"terraform_data\" \"queue\"").unwrap();
    let end = queue + code[queue..].find("\n}\n").unwrap() + 3;
    desk.put_file("mono/main.tf", &format!("{}{}", &code[..queue], &code[end..]));
    desk.on("release", &first, &[]).code(0);
    let orders = desk.get("orders");
    desk.apply().code(0);
    assert!(desk.get("network").is_some());
    assert_eq!(desk.get("orders"), orders);
    assert_eq!(desk.migrations().len(), 2);
}
