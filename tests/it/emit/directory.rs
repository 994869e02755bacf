//! The directory that is written into: it has other owners too.

use std::fs;

use super::desk::Desk;
use super::workflow::applied;
use crate::support::command::Ended;

const FILE: &str = "plans/shop.hcl";

fn emit(desk: &Desk, more: &[&str]) -> Ended {
    desk.run(&[&["emit", FILE, "--out", "infra-new"], more].concat())
}

#[test]
fn a_check_writes_nothing_and_lists_what_differs() {
    let desk = applied();
    let checked = emit(&desk, &["--check"]).code(2);
    assert!(
        checked.stdout.contains("missing    stacks/orders/main.tf\n"),
        "{}",
        checked.stdout
    );
    assert!(!desk.path("infra-new").exists());
    emit(&desk, &[]).code(0);
    emit(&desk, &["--check"]).code(0);
    let main = desk.read("infra-new/stacks/orders/main.tf");
    fs::write(
        desk.path("infra-new/stacks/orders/main.tf"),
        format!("{main}# Mine.\n"),
    )
    .unwrap();
    fs::remove_file(desk.path("infra-new/contracts.json")).unwrap();
    let before = desk.tree("infra-new");
    insta::assert_snapshot!(emit(&desk, &["--check"]).code(2).stdout, @r#"
    missing    contracts.json
    different  stacks/orders/main.tf

    infra-new: 2 files not as they should be
    order of apply (default): network, orders, shop
    "#);
    let json = emit(&desk, &["--check", "--format", "json"]).code(2).json();
    assert_eq!(json["changed"], serde_json::json!(["stacks/orders/main.tf"]));
    assert_eq!(json["added"], serde_json::json!(["contracts.json"]));
    assert_eq!(json["outcome"], "checked");
    assert_eq!(desk.tree("infra-new"), before);
}

#[test]
fn files_of_others_are_left_alone() {
    let desk = applied();
    desk.write("infra-new/README.md", "ours");
    desk.write("infra-new/stacks/orders/Makefile", "ours");
    emit(&desk, &[]).code(0);
    emit(&desk, &["--check"]).code(0);
    emit(&desk, &[]).code(0);
    assert_eq!(desk.read("infra-new/README.md"), "ours");
    assert_eq!(desk.read("infra-new/stacks/orders/Makefile"), "ours");
}

#[test]
fn what_was_edited_is_not_lost() {
    let desk = applied();
    // Somebody else's file in the place of one of ours.
    desk.write("infra-new/stacks/orders/main.tf", "mine");
    let refused = emit(&desk, &[]).code(1);
    insta::assert_snapshot!(refused.stderr, @r#"
    ✓ computed plans/shop.hcl, environment default
    error: infra-new would lose what stackcut did not write, or what was edited since: 1 file
      = note: stacks/orders/main.tf
      = note: nothing was written
    hint: move them away, commit them and say --force, or name another directory with --out
    "#);
    assert_eq!(desk.tree("infra-new").len(), 1);
    fs::remove_file(desk.path("infra-new/stacks/orders/main.tf")).unwrap();
    emit(&desk, &[]).code(0);
    // One of ours, edited.
    let written = desk.read("infra-new/stacks/orders/main.tf");
    desk.write("infra-new/stacks/orders/main.tf", &format!("{written}# Mine.\n"));
    let before = desk.tree("infra-new");
    emit(&desk, &[]).code(1);
    assert_eq!(desk.tree("infra-new"), before);
    emit(&desk, &["--force"]).code(0);
    assert_eq!(desk.read("infra-new/stacks/orders/main.tf"), written);
}

#[test]
fn what_is_written_no_more_is_removed() {
    let desk = applied();
    emit(&desk, &[]).code(0);
    let renamed = |desk: &Desk, name: &str| {
        let plan = desk
            .read(FILE)
            .replace("stack \"orders\"", &format!("stack \"{name}\""));
        desk.write(FILE, &plan);
    };
    renamed(&desk, "ordering");
    let checked = emit(&desk, &["--check"]).code(2);
    assert!(
        checked.stdout.contains("left over  stacks/orders/main.tf\n"),
        "{}",
        checked.stdout
    );
    // Only what is asked for is looked at.
    emit(&desk, &["--only", "contracts"]).code(0);
    assert!(desk.path("infra-new/stacks/orders/main.tf").exists());
    assert!(!desk.path("infra-new/schemas/orders.json").exists());
    assert!(desk.path("infra-new/schemas/ordering.json").exists());
    desk.write("infra-new/stacks/orders/upstream.tf", "# Mine.\n");
    emit(&desk, &[]).code(1);
    fs::remove_file(desk.path("infra-new/stacks/orders/upstream.tf")).unwrap();
    let emitted = emit(&desk, &["--only", "stacks"]).code(0);
    assert!(
        emitted.stdout.contains("removed    stacks/orders/main.tf\n"),
        "{}",
        emitted.stdout
    );
    assert!(!desk.path("infra-new/stacks/orders").exists());
    assert!(desk.path("infra-new/stacks/ordering/main.tf").exists());
    emit(&desk, &["--check"]).code(0);
}

#[test]
fn each_environment_has_a_tree_of_its_own() {
    let desk = applied();
    let environment = |name: &str, value: &str| {
        format!("  environment \"{name}\" {{\n    values = {{ environment = \"{value}\" }}\n  }}\n\n")
    };
    let environments = environment("stage", "stage") + &environment("tenant-b/prod", "prod");
    let plan = desk
        .read(FILE)
        .replace("  defaults {", &format!("{environments}  defaults {{"))
        .replace("${stack}.tfstate", "${environment}/${stack}.tfstate")
        .replace(
            "dir = \"../infra\"",
            "dir   = \"../infra\"\n    state = \"${environment}.tfstate\"",
        );
    desk.write(FILE, &plan);
    for environment in ["stage", "prod"] {
        let state = desk.path("infra").join(format!("{environment}.tfstate"));
        fs::copy(desk.path("infra/terraform.tfstate"), state).unwrap();
    }
    emit(&desk, &["--env", "stage"]).code(0);
    assert!(desk.path("infra-new/stage/stacks/orders/main.tf").exists());
    emit(&desk, &["--env", "tenant-b/*"]).code(0);
    assert!(desk.path("infra-new/stage/stacks/orders/main.tf").exists());
    let backend = desk.read("infra-new/tenant-b/prod/stacks/orders/main.tf");
    assert!(backend.contains("states/prod/orders.tfstate"), "{backend}");
    emit(&desk, &["--check"]).code(0);
}

#[test]
#[cfg(unix)]
fn files_that_commands_name_come_along_and_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let code = r#"
resource "terraform_data" "app" {
  provisioner "local-exec" {
    command = "${path.module}/run.sh ${file("${path.module}/words.txt")}"
  }
  provisioner "local-exec" {
    command = <<-SHELL
      set -e
      python3 '${path.module}/tools/load.py' --from=${path.root}/data/a.csv && cat ${path.module}/data/b-${self.id}.csv
    SHELL
  }
}
"#;
    let state = r#"{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "a", "outputs": {}, "resources": [
      {"mode": "managed", "type": "terraform_data", "name": "app",
       "provider": "provider[\"terraform.io/builtin/terraform\"]",
       "instances": [{"schema_version": 0, "attributes": {"id": "i", "input": null, "output": null}}]}]}"#;
    let plan = r#"
split "app" {
  source {
    dir   = "../app"
    state = "terraform.tfstate"
  }
  defaults {
    backend "local" {
      path = "../states/${stack}.tfstate"
    }
  }
  stack "one" {
    take = ["terraform_data.app"]
  }
}
"#;
    let desk = Desk::new(&[
        ("app/main.tf", code),
        ("app/run.sh", "#!/bin/sh\n"),
        ("app/words.txt", "hello"),
        ("app/tools/load.py", "print()"),
        ("app/data/a.csv", "a"),
        ("app/data/b-i.csv", "b"),
        ("app/data/c.csv", "nobody reads it"),
        ("app/terraform.tfstate", state),
        (FILE, plan),
    ]);
    emit(&desk, &[]).code(0);
    desk.run(&["split", "app", "--plan", FILE, "--out", "cut"])
        .code(0);
    for root in ["infra-new", "cut"] {
        let mode = |path: &str| {
            let place = desk.path(root).join("stacks/one").join(path);
            fs::metadata(place).unwrap().permissions().mode() & 0o700
        };
        assert_eq!(mode("run.sh"), 0o700, "{root}");
        assert_eq!(mode("words.txt"), 0o600, "{root}");
        assert_eq!(desk.read(&format!("{root}/stacks/one/tools/load.py")), "print()");
        assert_eq!(desk.read(&format!("{root}/stacks/one/data/a.csv")), "a");
        assert_eq!(desk.read(&format!("{root}/stacks/one/data/b-i.csv")), "b");
        assert!(!desk.path(root).join("stacks/one/data/c.csv").exists(), "{root}");
        assert_eq!(mode("main.tf"), 0o600, "{root}");
    }
}

/// A run that stops half-way leaves a mix. The next one says so, takes nothing of it for somebody else's, and ends it.
#[test]
fn a_run_that_was_cut_off_is_told_and_ended() {
    let desk = applied();
    emit(&desk, &[]).code(0);
    let plan = desk.read(FILE);
    desk.write(FILE, &plan.replace("stack \"orders\"", "stack \"ordering\""));
    // Somebody's file where a directory must be made.
    desk.write("infra-new/stacks/ordering", "mine");
    let stopped = emit(&desk, &[]).code(1);
    assert!(
        stopped.stderr.contains("some files may be written already"),
        "{}",
        stopped.stderr
    );
    fs::remove_file(desk.path("infra-new/stacks/ordering")).unwrap();
    let says = "an earlier emit into infra-new was cut off, with";
    let mix = desk.tree("infra-new");
    let checked = emit(&desk, &["--check", "--format", "json"]).code(2);
    assert!(checked.stderr.contains(says), "{}", checked.stderr);
    assert!(
        checked.stderr.contains("run it again to finish it"),
        "{}",
        checked.stderr
    );
    assert_eq!(checked.json()["cut_off"], true);
    assert_eq!(desk.tree("infra-new"), mix);
    // Meanwhile the plan file was put back: what the stopped run wrote is ours to replace, without force.
    desk.write(FILE, &plan);
    let ended = emit(&desk, &[]).code(0);
    assert!(ended.stderr.contains(says), "{}", ended.stderr);
    assert!(ended.stderr.contains("this run finishes it"), "{}", ended.stderr);
    let again = emit(&desk, &["--check", "--format", "json"]).code(0);
    assert_eq!(again.json()["cut_off"], false);
    assert!(!again.stderr.contains("cut off"), "{}", again.stderr);
    let names: Vec<String> = fs::read_dir(desk.path("infra-new"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".stackcut"))
        .collect();
    assert_eq!(names, [".stackcut-emit.json"]);
}
