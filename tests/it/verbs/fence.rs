//! The fence: the old code is not applied while it would create again what moved.

use std::fs;

use super::desk::{CODE_AFTER, Desk, PLAN, STACKS, code};
use crate::support::terraform::Terraform;
use crate::support::tools::tools;

/// A monolith that real Terraform applied.
fn applied(terraform: impl Fn(&Desk) -> Terraform) -> Desk {
    let desk = Desk::local();
    fs::remove_file(desk.path("mono/terraform.tfstate")).unwrap();
    terraform(&desk).init();
    terraform(&desk).apply();
    desk
}

#[test]
fn real_terraform_is_refused_until_the_release() {
    for bin in tools().terraforms() {
        let terraform = |desk: &Desk| Terraform::new(bin, desk.path("mono"));
        let desk = applied(terraform);
        desk.apply().code(0);
        for args in [
            &["apply", "-auto-approve", "-no-color"][..],
            &["plan", "-no-color"],
        ] {
            let refused = terraform(&desk).run(args);
            assert_ne!(refused.code, Some(0), "{refused}");
            assert!(
                refused.stderr.contains("Error acquiring the state lock"),
                "{refused}"
            );
        }
        assert_eq!(terraform(&desk).state_list(), ["terraform_data.kept"]);
        let id = desk.id();
        desk.on("release", &id, &[]).code(2);
        desk.clear_code();
        desk.on("release", &id, &[]).code(0);
        terraform(&desk).assert_no_changes();
        for stack in STACKS {
            let own: Vec<String> = code()
                .split("\n\n")
                .filter(|block| !block.contains("\"kept\""))
                .map(|block| format!("{block}\n"))
                .collect();
            let listed = {
                desk.put_file(&format!("{stack}/main.tf"), "");
                let there = Terraform::new(bin, desk.path(stack));
                there.init();
                there.state_list()
            };
            let name = listed[0].split(['.', '[']).nth(1).unwrap().to_owned();
            let block = own
                .iter()
                .find(|block| block.contains(&format!("\"{name}\"")))
                .unwrap();
            desk.put_file(&format!("{stack}/main.tf"), block);
            Terraform::new(bin, desk.path(stack)).assert_no_changes();
        }
    }
}

#[test]
fn release_is_refused_while_the_code_stands() {
    let desk = Desk::local();
    desk.apply().code(0);
    let id = desk.id();
    insta::assert_snapshot!(desk.transcript(&["release", &id]), @"");
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
            .contains("terraform_data.queue[\"é\"] at plans/../mono/main.tf:5"),
        "{refused}"
    );
    // What the text does not tell must be said.
    desk.put_file("mono/main.tf", &each("var.keys"));
    insta::assert_snapshot!(desk.transcript(&["release", &id]), @"");
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
