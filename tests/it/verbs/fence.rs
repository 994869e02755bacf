//! The fence: the old code is not applied while it would create again what moved.

use super::desk::{Desk, PLAN};
use super::shop::{CODE_AFTER, STACKS, code};
use crate::support::tools::{TerraformBin, tools};

/// Real Terraform is kept out of the monolith until the release, and finds everything where it went.
fn holds(desk: &Desk, bin: &TerraformBin) {
    let mono = desk.terraform(bin, "mono");
    mono.init();
    mono.apply();
    desk.apply().code(0);
    let id = desk.id();
    for args in [
        &["apply", "-auto-approve", "-no-color"][..],
        &["plan", "-no-color"],
    ] {
        let refused = mono.run(args);
        assert_ne!(refused.code, Some(0), "{refused}");
        assert!(
            refused.stderr.contains("Error acquiring the state lock"),
            "{refused}"
        );
        if desk.is_bucket() {
            assert!(
                refused.stderr.contains(&format!("stackcut release {id}")),
                "{refused}"
            );
        }
    }
    assert_eq!(mono.state_list(), ["terraform_data.kept"]);
    desk.on("release", &id, &[]).code(2);
    desk.clear_code();
    desk.on("release", &id, &[]).code(0);
    mono.assert_no_changes();
    for stack in STACKS {
        desk.put_file(&format!("{stack}/backend.tf"), &desk.backend(stack));
        let there = desk.terraform(bin, stack);
        there.init();
        let listed = there.state_list();
        let name = listed[0].split(['.', '[']).nth(1).unwrap();
        let all = code();
        let block = all
            .split("\n\n")
            .find(|block| block.contains(&format!("\"{name}\"")));
        desk.put_file(&format!("{stack}/main.tf"), &format!("{}\n", block.unwrap()));
        there.assert_no_changes();
    }
}

#[test]
fn real_terraform_is_refused_until_the_release() {
    for bin in tools().terraforms() {
        holds(&Desk::local(), bin);
    }
}

#[test]
fn real_terraform_is_refused_in_a_bucket_too() {
    for bin in tools().terraforms() {
        holds(&Desk::bucket(), bin);
    }
}

#[test]
fn release_is_refused_while_the_code_stands() {
    let desk = Desk::local();
    desk.apply().code(0);
    let id = desk.id();
    insta::assert_snapshot!(desk.transcript(&["release", &id]), @r#"
    exit code 2
    --- stderr
    error: the code still declares 6 resources that moved away
      = note: terraform_data.index at mono/main.tf:18
      = note: terraform_data.key at mono/main.tf:5
      = note: terraform_data.ledger at mono/main.tf:15
      = note: terraform_data.queue["a.b"] at mono/main.tf:11
      = note: terraform_data.queue["é"] at mono/main.tf:11
      = note: terraform_data.vpc at mono/main.tf:8
      = note: an apply of this code would create them again; the sources stay locked
    hint: remove them from the code (`stackcut emit plans/shop.hcl --out DIR` writes what is left), then run `stackcut release ID` again
    "#);
    let json = desk.on("release", &id, &["--format", "json"]).code(2);
    assert_eq!(json.json()["runs"][0]["error"]["exit"], 2);
    assert_eq!(desk.leftovers().len(), 1);
}

#[test]
fn keys_that_are_gone_need_no_more_than_that() {
    let desk = Desk::local();
    desk.apply().code(0);
    let id = desk.id();
    let each = |keys: &str| {
        format!("{CODE_AFTER}\nresource \"terraform_data\" \"queue\" {{\n  for_each = {keys}\n}}\n")
    };
    desk.put_file("mono/main.tf", &each("toset([\"é\", \"new\"])"));
    let refused = desk.on("release", &id, &[]).code(2);
    assert!(
        refused.stderr.contains("declares 1 resource that moved"),
        "{refused}"
    );
    assert!(
        refused
            .stderr
            .contains("terraform_data.queue[\"é\"] at mono/main.tf:5"),
        "{refused}"
    );
    // What the text does not tell must be said.
    desk.put_file("mono/main.tf", &each("var.keys"));
    insta::assert_snapshot!(desk.transcript(&["release", &id]), @r#"
    exit code 2
    --- stderr
    error: the code may still declare 2 resources that moved away
      = note: terraform_data.queue["a.b"] at mono/main.tf:5: `for_each` at mono/main.tf:6 is not known before a plan
      = note: terraform_data.queue["é"] at mono/main.tf:5: `for_each` at mono/main.tf:6 is not known before a plan
      = note: the sources stay locked
    hint: make sure that it does not, then confirm each address or pattern: `stackcut release ID --confirm 'terraform_data.queue["a.b"]'`
    "#);
    desk.on("release", &id, &["--confirm", "terraform_data.queue[\"é\"]"])
        .code(2);
    desk.on("release", &id, &["--confirm", "terraform_data.queue"])
        .code(0);
    assert!(desk.leftovers().is_empty());
}

#[test]
fn code_that_is_clear_already_needs_no_fence() {
    let desk = Desk::local();
    desk.clear_code();
    let ended = desk.apply().code(0);
    assert!(ended.stdout.contains("completed"), "{ended}");
    assert!(desk.leftovers().is_empty());
    // A release then finds nothing to do.
    desk.on("release", &desk.id(), &[]).code(0);
}

/// A saved plan does not know the code, so the fence stands in any case.
#[test]
fn a_saved_plan_always_puts_the_fence_up() {
    let desk = Desk::local();
    desk.clear_code();
    desk.run(&["plan", PLAN, "--out", "saved.json"]).code(2);
    desk.run(&["apply", "saved.json", "--auto-approve"]).code(0);
    assert_eq!(desk.leftovers().len(), 1);
    let id = desk.id();
    let refused = desk.on("release", &id, &["--plan", "saved.json"]).code(2);
    assert!(refused.stderr.contains("its code is not known here"), "{refused}");
    desk.on("release", &id, &[]).code(0);
    assert!(desk.leftovers().is_empty());
}

/// A stack that goes back is fenced too; where the plan file says where its code is, that is read.
#[test]
fn a_stack_that_goes_back_is_fenced_until_its_code_is_gone() {
    let desk = Desk::local();
    let original = desk.get("shop").unwrap();
    desk.apply().code(0);
    desk.clear_code();
    desk.on("release", &desk.id(), &[]).code(0);
    let with_return = |dir: &str| {
        let plan = desk.plan(&[]);
        plan.replacen(
            "  defaults",
            &format!("  return \"orders\" {{\n    to = \"shop\"\n{dir}  }}\n\n  defaults"),
            1,
        )
    };
    desk.put_file(PLAN, &with_return(""));
    desk.apply().code(0);
    let again = desk.apply().code(0);
    assert!(again.stdout.contains("nothing to do"), "{again}");
    let all = desk.migrations();
    assert_eq!(all[0]["standing"], "fenced", "{all:?}");
    let id = all[0]["id"].as_str().unwrap().to_owned();
    let refused = desk.on("release", &id, &[]).code(2);
    assert!(refused.stderr.contains("its code is not known here"), "{refused}");
    desk.put_file(PLAN, &with_return("    dir = \"../orders\"\n"));
    desk.put_file(
        "orders/main.tf",
        "resource \"terraform_data\" \"queue\" {\n  for_each = toset([\"é\"])\n}\n",
    );
    let refused = desk.on("release", &id, &[]).code(2);
    assert!(
        refused
            .stderr
            .contains("terraform_data.queue[\"é\"] at orders/main.tf:1"),
        "{refused}"
    );
    desk.put_file("orders/main.tf", "");
    desk.on("release", &id, &[]).code(0);
    assert!(desk.leftovers().is_empty());
    let shop = desk.get("shop").unwrap();
    assert!(shop.contains("\"serial\": 7") && original.contains("\"serial\": 5"));
    assert_eq!(shop.matches("\"index_key\"").count(), 2);
    assert!(!desk.get("orders").unwrap().contains("\"index_key\""));
}

#[test]
fn status_says_that_a_fence_was_taken_down_by_force() {
    let desk = Desk::local();
    desk.apply().code(0);
    let standing = desk.run(&["status"]).code(0);
    assert!(!standing.stdout.contains("NOT locked"), "{standing}");
    assert_eq!(desk.migrations()[0]["fence_lost"], serde_json::json!([]));
    std::fs::remove_dir_all(desk.path("mono/.terraform.tfstate.lock.info")).unwrap();
    let lost = desk.run(&["status"]).code(0);
    assert!(
        lost.stdout
            .contains("NOT locked any more, although it must be: shop."),
        "{lost}"
    );
    assert_eq!(desk.migrations()[0]["fence_lost"], serde_json::json!(["shop"]));
    // Somebody else's lock is no fence either.
    desk.lock_by_kim("mono/terraform.tfstate");
    assert_eq!(desk.migrations()[0]["fence_lost"], serde_json::json!(["shop"]));
}

/// Ten of many, and how many more; all of them for programs and for whoever asks.
#[test]
fn release_lists_the_first_ten() {
    let desk = Desk::local();
    let mut state: serde_json::Value = serde_json::from_str(&desk.get("shop").unwrap()).unwrap();
    let model = state["resources"][2].clone();
    assert_eq!(model["name"], "key");
    let mut code = CODE_AFTER.to_owned();
    for number in 10..35 {
        let mut resource = model.clone();
        resource["name"] = format!("many{number}").into();
        resource["instances"][0]["attributes"]["id"] = format!("many{number}").into();
        state["resources"].as_array_mut().unwrap().push(resource);
        code.push_str(&format!("resource \"terraform_data\" \"many{number}\" {{}}\n"));
    }
    desk.put("shop", &serde_json::to_string_pretty(&state).unwrap());
    desk.put_file("mono/main.tf", &code);
    let taken: Vec<String> = (10..35)
        .map(|number| format!("\"terraform_data.many{number}\""))
        .collect();
    let plan = desk.plan(&["base"]);
    desk.put_file(PLAN, &plan.replace("\"terraform_data.key\"", &taken.join(", ")));
    desk.apply().code(0);
    let id = desk.id();
    let listed = |args: &[&str]| {
        let refused = desk.on("release", &id, args).code(2);
        let lines = refused.stderr.lines();
        let listed = lines
            .filter(|line| line.contains("note: terraform_data.many"))
            .count();
        (
            listed,
            refused.stderr.contains("… and 15 more; -v lists all"),
            refused,
        )
    };
    let (short, says_so, _) = listed(&[]);
    assert_eq!((short, says_so), (10, true));
    let (all, says_so, _) = listed(&["-v"]);
    assert_eq!((all, says_so), (25, false));
    let (_, _, refused) = listed(&["--format", "json"]);
    let notes = refused.json()["runs"][0]["error"]["notes"].clone();
    assert_eq!(notes.as_array().unwrap().len(), 26, "{notes}");
    desk.put_file("mono/main.tf", CODE_AFTER);
    desk.on("release", &id, &[]).code(0);
}

/// Of two parts of a lock one is another's: that one stays, and ours goes.
#[test]
fn a_release_leaves_no_half_of_a_fence() {
    for verb in ["release", "undo"] {
        let desk = Desk::bucket();
        desk.apply().code(0);
        let id = desk.id();
        desk.put_lock_object("shop", "not a lock");
        desk.clear_code();
        match verb {
            "release" => desk.on("release", &id, &[]).code(0),
            // It needs the whole lock.
            _ => desk.on("undo", &id, &["--auto-approve"]).code(3),
        };
        let left = desk.leftovers();
        assert!(
            left.iter().any(|name| name.ends_with("mono.tfstate.tflock")),
            "{left:?}"
        );
        let items = left.iter().filter(|name| !name.ends_with(".tflock")).count();
        let fence = usize::from(verb == "undo");
        assert_eq!(items, fence, "{verb}: {left:?}");
    }
}
