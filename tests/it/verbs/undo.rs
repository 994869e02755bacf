//! The way back, at once and days later.

use std::fs;

use super::desk::{Desk, PLAN};

#[test]
fn undo_gives_everything_back_even_days_later() {
    let desk = Desk::local();
    let before = desk.get("shop").unwrap();
    desk.apply().code(0);
    desk.clear_code();
    let id = desk.id();
    desk.on("release", &id, &[]).code(0);
    // The plan file may be gone for another split by then; the saved one leads there too.
    insta::assert_snapshot!(desk.transcript(&["undo", &id, "--auto-approve"]), @r"
    exit code 0
    --- stdout
    migration ID: undone; every state has the content from before
    --- stderr
    ✓ locked 6 states
    ✓ read 6 states
    ✓ gave back 1 state
    ✓ read back 1 state
    ✓ gave back 5 states
    ✓ read back 5 states
    ✓ unlocked 6 states
    ");
    assert_eq!(
        desk.get("shop").unwrap(),
        before.replace("\"serial\": 5", "\"serial\": 7")
    );
    assert!(desk.states()[1..].iter().all(|(_, state)| state.is_none()));
    assert!(desk.leftovers().is_empty());
    // Once more is no more.
    desk.on("undo", &id, &[]).code(0);
    desk.on("resume", &id, &[]).code(0);
    // And the cut can be made again.
    desk.apply().code(0);
}

#[test]
fn undo_is_refused_once_a_state_moved_on() {
    let desk = Desk::local();
    desk.apply().code(0);
    let id = desk.id();
    let orders = desk.get("orders").unwrap();
    desk.put("orders", &orders.replace("\"serial\": 1,", "\"serial\": 2,"));
    let states = desk.states();
    let lineage = orders
        .split("\"lineage\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let refused = desk
        .transcript(&["undo", &id, "--auto-approve"])
        .replace(lineage, "LINEAGE");
    insta::assert_snapshot!(refused, @r"
    exit code 4
    --- stderr
    ✓ locked 6 states
    ✓ read 6 states
    ✓ unlocked 5 states
    error: migration ID: state `orders` changed since the migration
      = note: `orders` (/home/orders/terraform.tfstate): expected serial 1 of lineage LINEAGE, found serial 2 of lineage LINEAGE
      = note: nothing was written; the migration is fenced, as before
    hint: plan a migration that moves the objects back instead
    ");
    assert_eq!(desk.states(), states);
    // The fence still stands, and nothing else.
    assert_eq!(desk.leftovers().len(), 1);
    assert_eq!(desk.migrations()[0]["standing"], "fenced");
    desk.put("orders", &orders);
    desk.on("undo", &id, &["--auto-approve"]).code(0);
}

/// Where the states are, and what became of them, stands in the journal: the plan file only leads to it.
#[test]
fn an_edited_plan_file_changes_nothing() {
    let desk = Desk::local();
    let before = desk.get("shop").unwrap();
    desk.apply().code(0);
    let id = desk.id();
    desk.put_file(
        PLAN,
        &desk
            .plan(&["orders"])
            .replace("${stack}/", "elsewhere/${stack}/")
            .replace("shop", "other"),
    );
    let named = desk.run(&["status"]).code(0);
    assert!(named.stdout.contains("  shop (plans/shop.hcl)"), "{named}");
    desk.on("undo", &id, &["--auto-approve"]).code(0);
    assert_eq!(
        desk.get("shop").unwrap(),
        before.replace("\"serial\": 5", "\"serial\": 7")
    );
    assert!(!desk.path("elsewhere").exists());
    assert!(desk.states()[1..].iter().all(|(_, state)| state.is_none()));
}

#[test]
fn discard_ends_the_way_back() {
    let desk = Desk::local();
    desk.apply().code(0);
    let id = desk.id();
    let refused = desk.on("discard", &id, &["--auto-approve"]).code(1);
    assert!(
        refused
            .stderr
            .contains(&format!("run `stackcut release {id}` first")),
        "{refused}"
    );
    desk.clear_code();
    desk.on("release", &id, &[]).code(0);
    desk.on("discard", &id, &[]).code(64);
    let states = desk.states();
    desk.on("discard", &id, &["--auto-approve"]).code(0);
    assert!(!desk.kept().iter().any(|(name, _)| name.contains("/backup/")));
    let refused = desk.on("undo", &id, &["--auto-approve"]).code(1);
    assert!(refused.stderr.contains("without backups"), "{refused}");
    // Everything else goes on as before.
    for command in ["status", "history"] {
        assert!(
            desk.run(&[command])
                .code(0)
                .stdout
                .contains("completed, without backups")
        );
    }
    desk.on("discard", &id, &["--auto-approve"]).code(0);
    desk.on("release", &id, &[]).code(0);
    desk.apply().code(0);
    assert_eq!(desk.states(), states);
}

#[test]
fn a_saved_plan_leads_to_its_migration_too() {
    let desk = Desk::local();
    desk.run(&["plan", PLAN, "--out", "saved.json"]).code(2);
    desk.run(&["apply", "saved.json", "--auto-approve"]).code(0);
    let id = desk.id();
    fs::remove_dir_all(desk.path("plans")).unwrap();
    let lost = desk.on("undo", &id, &["--auto-approve"]).code(1);
    assert!(
        lost.stderr.contains("found no plan file in ./plans or here"),
        "{lost}"
    );
    desk.on("undo", &id, &["--auto-approve", "--plan", "saved.json"])
        .code(0);
}

#[test]
fn a_lost_backup_is_asked_for() {
    let desk = Desk::local();
    desk.apply().code(0);
    let states = desk.states();
    desk.lose_backups();
    let refused = desk.on("undo", &desk.id(), &["--auto-approve"]).code(1);
    assert!(refused.stderr.contains("the backup of `shop`"), "{refused}");
    assert!(
        refused.stderr.contains("hint: restore it under that name"),
        "{refused}"
    );
    assert_eq!(desk.states(), states);
}
