//! `status` and `history`.

use super::desk::{Desk, PLAN};
use super::shop::CODE_AFTER;

/// Replaces times: `2026-11-25 09:23 UTC`.
fn minuteless(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(end) = text.find(" UTC") {
        text.replace_range(end - "2026-11-25 09:23".len()..end + " UTC".len(), "TIME");
    }
    text
}

/// Replaces times: `2026-11-25 09:23:36 UTC`.
fn timeless(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(end) = text.find(" UTC by") {
        text.replace_range(end - "2026-11-25 09:23:36".len()..end + " UTC".len(), "TIME");
    }
    text
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
      shop  /home/mono/terraform.tfstate
      and 5 stacks; -v shows where
      first: remove what moved from the code of the sources
      next: `stackcut release ID`
        or: `stackcut undo ID`
    ");
    insta::assert_snapshot!(desk.transcript(&["history", PLAN]), @r"
    exit code 0
    --- stdout
    no migration is over beside /home/mono/terraform.tfstate
    ");
    let id = desk.id();
    desk.clear_code();
    desk.on("release", &id, &[]).code(0);
    insta::assert_snapshot!(timeless(&desk.transcript(&["status", PLAN, "-v"])), @r"
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
      next: `stackcut undo ID`
        or: `stackcut discard ID`
    ");
    desk.on("undo", &id, &["--auto-approve"]).code(0);
    desk.apply().code(0);
    let history = desk.run(&["history"]).code(0);
    let outcomes: Vec<&str> = history
        .stdout
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(4).unwrap())
        .collect();
    assert_eq!(outcomes, ["undone", "completed"]);
}

/// What is over takes one line; what came to nothing is counted.
#[test]
fn what_is_over_is_told_shortly() {
    let desk = Desk::local();
    let lock = desk.lock_by_kim("mono/terraform.tfstate");
    for _ in 0..2 {
        desk.apply().code(3);
    }
    std::fs::remove_dir_all(&lock).unwrap();
    desk.put_file("mono/main.tf", CODE_AFTER);
    desk.apply().code(0);
    let status = |args: &[&str]| {
        let text = desk.transcript(&[&["status"], args].concat());
        // The spaces of a column are as many as a name is long.
        let words: Vec<String> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        minuteless(&words.join("\n"))
    };
    insta::assert_snapshot!(status(&[]), @r"
    exit code 0
    --- stdout
    finished outcome when by
    ID completed TIME jo@host
    -v shows how to take one back, or delete its backups

    2 attempts were given up before anything was written, the last TIME; --all lists them
    ");
    insta::assert_snapshot!(status(&["--all"]), @r"
    exit code 0
    --- stdout
    finished outcome when by
    ID completed TIME jo@host
    ID aborted TIME jo@host
    ID aborted TIME jo@host
    -v shows how to take one back, or delete its backups
    ");
    let all = desk.migrations();
    let changed_nothing: Vec<bool> = all
        .iter()
        .map(|found| found["changed_nothing"].as_bool().unwrap())
        .collect();
    assert_eq!(changed_nothing, [false, true, true]);
    // What waits comes first.
    desk.put_file("mono/main.tf", &super::shop::code());
    desk.on("undo", all[0]["id"].as_str().unwrap(), &["--auto-approve"])
        .code(0);
    desk.apply().code(0);
    let text = status(&[]);
    let fenced = text.find("fenced: done").unwrap();
    assert!(
        text.find("ID undone TIME").unwrap() > fenced && text.contains("2 attempts"),
        "{text}"
    );
}

/// Every file may lead to the same place: what lies there is told once, and belongs to the file of its split.
#[test]
fn a_migration_is_told_once_and_belongs_to_its_split() {
    let desk = Desk::local();
    for number in 0..20 {
        let plan = desk
            .plan(&["orders"])
            .replace("\"shop\"", &format!("\"other-{number}\""));
        desk.put_file(&format!("plans/{number:02}.hcl"), &plan);
    }
    desk.apply().code(0);
    let id = desk.id();
    assert_eq!(desk.migrations()[0]["file"], PLAN);
    desk.clear_code();
    desk.on("release", &id, &[]).code(0);
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

#[test]
fn a_place_that_cannot_be_looked_at_is_not_one_without_migrations() {
    let desk = Desk::local();
    // A link to itself.
    let beside = ".terraform.tfstate.stackcut";
    std::os::unix::fs::symlink(beside, desk.path("mono").join(beside)).unwrap();
    for verb in ["status", "history"] {
        let ended = desk.run(&[verb]).code(1);
        assert!(ended.stdout.contains(": no source could be looked at"), "{ended}");
        assert!(!ended.stdout.contains("beside"), "{ended}");
    }
    let unknown = desk.on("resume", "nope", &[]).code(1);
    assert!(!unknown.stderr.contains("looked beside"), "{unknown}");
    assert!(!unknown.stderr.contains("found no plan file"), "{unknown}");
    assert!(!unknown.stderr.contains("there is no migration"), "{unknown}");
}

/// What a journal that cannot be believed does to every command: none says that there is no migration.
#[test]
fn a_journal_that_cannot_be_read_is_not_taken_for_none() {
    let desk = Desk::local();
    desk.apply().code(0);
    let id = desk.id();
    let states = desk.states();
    let record = |number: u32| {
        desk.path(&format!(
            "mono/.terraform.tfstate.stackcut/journal/{id}/{number:06}.json"
        ))
    };
    let first = std::fs::read(record(1)).unwrap();
    let third = std::fs::read_to_string(record(3)).unwrap();
    let damages: [(&str, &dyn Fn(), &str, &str); 3] = [
        (
            "lost",
            &|| std::fs::remove_file(record(1)).unwrap(),
            "record 1 of the journal is missing",
            "restore the records",
        ),
        (
            "newer",
            &|| std::fs::write(record(3), third.replacen("{\"format\":", "{\"format\":9", 1)).unwrap(),
            "record 3 of the journal has format 9",
            "use the version of stackcut that wrote the record",
        ),
        (
            "garbage",
            &|| std::fs::write(record(3), "garbage\n").unwrap(),
            "record 3 of the journal cannot be read",
            "restore the records",
        ),
    ];
    for (name, damage, says, hint) in damages {
        damage();
        let commands: [&[&str]; 7] = [
            &["status"],
            &["emit", PLAN, "--out", "emitted"],
            &["plan", PLAN],
            &["apply", PLAN, "--auto-approve"],
            &["resume", &id],
            &["undo", &id, "--auto-approve"],
            &["release", &id],
        ];
        for command in commands {
            let refused = desk.run(command).code(1);
            assert!(refused.stderr.contains(says), "{name}: {refused}");
            assert!(refused.stderr.contains(hint), "{name}: {refused}");
            assert!(
                !refused.stderr.contains("there is no migration"),
                "{name}: {refused}"
            );
            assert!(
                !refused.stdout.contains("no migration beside"),
                "{name}: {refused}"
            );
        }
        assert_eq!(desk.states(), states);
        std::fs::write(record(1), &first).unwrap();
        std::fs::write(record(3), &third).unwrap();
    }
    desk.on("undo", &id, &["--auto-approve"]).code(0);
}
