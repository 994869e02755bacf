//! `status` and `history`.

use super::desk::{Desk, PLAN};
use super::shop::CODE_AFTER;

/// Replaces times.
fn timeless(text: &str) -> String {
    text.split(' ')
        .map(|word| match word.split_once('T') {
            Some((day, rest)) if day.len() == 10 && day.starts_with("20") && rest.contains('Z') => {
                let after = rest.find('Z').unwrap() + 1;
                format!("TIME{}", &rest[after..])
            }
            _ => word.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn they_say_how_migrations_stand() {
    let desk = Desk::local();
    insta::assert_snapshot!(desk.transcript(&["status"]), @r"
    exit code 0
    --- stdout
    no migration beside /home/mono/terraform.tfstate
    ");
    desk.apply().code(0);
    insta::assert_snapshot!(timeless(&desk.transcript(&["status"])), @r"
    exit code 0
    --- stdout
    ID  fenced: done, its source is locked until it is released
      shop (plans/shop.hcl), environment default
      begun TIME by jo@host
      last  TIME by jo@host
      base      /home/base/terraform.tfstate
      network   /home/network/terraform.tfstate
      orders    /home/orders/terraform.tfstate
      payments  /home/payments/terraform.tfstate
      search    /home/search/terraform.tfstate
      shop      /home/mono/terraform.tfstate
      first: remove what moved from the code of the sources
      next: `stackcut release ID`, or `stackcut undo ID`
    ");
    insta::assert_snapshot!(desk.transcript(&["history", PLAN]), @r"
    exit code 0
    --- stdout
    no migration is over beside /home/mono/terraform.tfstate
    ");
    let id = desk.id();
    desk.clear_code();
    desk.on("release", &id, &[]).code(0);
    insta::assert_snapshot!(timeless(&desk.transcript(&["status", PLAN])), @r"
    exit code 0
    --- stdout
    ID  completed
      shop (plans/shop.hcl), environment default
      begun TIME by jo@host
      last  TIME by jo@host
      base      /home/base/terraform.tfstate
      network   /home/network/terraform.tfstate
      orders    /home/orders/terraform.tfstate
      payments  /home/payments/terraform.tfstate
      search    /home/search/terraform.tfstate
      shop      /home/mono/terraform.tfstate
      next: `stackcut undo ID`, or `stackcut discard ID`
    ");
    desk.on("undo", &id, &["--auto-approve"]).code(0);
    desk.apply().code(0);
    let history = desk.run(&["history"]).code(0);
    let outcomes: Vec<&str> = history
        .stdout
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(2).unwrap())
        .collect();
    assert_eq!(outcomes, ["undone", "completed"]);
}

#[test]
fn plan_files_are_found_and_others_left_alone() {
    let desk = Desk::local();
    desk.apply().code(0);
    let id = desk.id();
    let plan = desk.plan(&["orders"]).replace("../", "");
    std::fs::remove_dir_all(desk.path("plans")).unwrap();
    desk.put_file("here.hcl", &plan);
    desk.put_file("terragrunt.hcl", "inputs = {}\n");
    desk.put_file("mono/deep.hcl", "split \"not looked at\" {\n");
    assert_eq!(desk.id(), id);
    // Named from elsewhere, every command says how to find it again.
    std::fs::rename(desk.path("here.hcl"), desk.path("my plan.txt")).unwrap();
    assert!(desk.migrations().is_empty());
    let named = desk.run(&["status", "my plan.txt"]).code(0);
    let expected = format!("`stackcut release {id} --plan 'my plan.txt'`");
    assert!(named.stdout.contains(&expected), "{named}");
    let refused = desk.on("release", &id, &["--plan", "my plan.txt"]).code(2);
    assert!(
        refused.stderr.contains(&format!("{} again", &expected)),
        "{refused}"
    );
}

#[test]
fn a_broken_plan_file_hides_no_other() {
    let desk = Desk::local();
    desk.apply().code(0);
    desk.put_file("plans/broken.hcl", "split \"x\" {\n");
    let status = desk.run(&["status"]).code(1);
    assert!(status.stdout.contains("fenced"), "{status}");
    assert!(status.stderr.contains("plans/broken.hcl"), "{status}");
    let id = status.stdout.split_whitespace().next().unwrap().to_owned();
    desk.put_file("mono/main.tf", CODE_AFTER);
    desk.on("release", &id, &[]).code(0);
    let unknown = desk.on("resume", "nope", &[]).code(1);
    assert!(unknown.stderr.contains("plans/broken.hcl"), "{unknown}");
    assert!(
        unknown
            .stderr
            .contains(&format!("looked beside {}", desk.location("shop"))),
        "{unknown}"
    );
}
