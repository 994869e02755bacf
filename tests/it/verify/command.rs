//! `stackcut plan --verify terraform`, as a person runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::processes::{is_alive, wrapper};
use super::stage::{CODE, STACKS, fingerprint};
use crate::rewrite::lab::write;
use crate::rewrite::small::{formatted, plan};
use crate::support::terraform::Terraform;
use crate::support::tools::tools;

/// A monolith that is applied, a plan file, and a place for temporary files.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        write(&at("work/main.tf"), formatted(CODE).as_bytes());
        fs::create_dir(at("tmp")).unwrap();
        let terraform = Terraform::new(tools().terraform(), at("work"));
        terraform.init();
        terraform.apply();
        let plan = plan(STACKS).replace("STATES", &at("states").display().to_string());
        write(&at("work/plan.hcl"), plan.as_bytes());
        Self { dir }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn spawn(&self, program: &Path, args: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stackcut"));
        command.args(["plan", "plan.hcl", "--verify", "terraform", "--terraform"]);
        command.arg(program).args(args).current_dir(self.path("work"));
        command.env_clear().envs(Terraform::base_env());
        command.env("TMPDIR", self.path("tmp")).env("NO_COLOR", "1");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs to the end, and checks what holds always: nothing is left, nothing is touched, nothing secret is shown.
    fn run(&self, program: &Path, args: &[&str]) -> (i32, String, String) {
        let before = fingerprint(&self.path("work"));
        let output = self.spawn(program, args).wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            fingerprint(&self.path("work")),
            before,
            "the user's directory is as it was\n{stderr}"
        );
        assert_eq!(self.left(), Vec::<PathBuf>::new(), "{stderr}");
        assert!(
            !stdout.contains("PLANTED") && !stderr.contains("PLANTED"),
            "{stdout}{stderr}"
        );
        (output.status.code().unwrap(), stdout, stderr)
    }

    /// Lists what lies in the place for temporary files.
    fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn real() -> &'static Path {
    &tools().terraform().path
}

#[test]
fn a_right_cut_is_proven_and_leaves_nothing() {
    let desk = Desk::new();
    let (code, stdout, stderr) = desk.run(real(), &[]);
    assert_eq!(code, 2, "there is something to do\n{stdout}\n{stderr}");
    let proof = stdout.split_once("proof by ").expect("the proof is reported").1;
    insta::assert_snapshot!(proof.replace(&tools().terraform().version, "X.Y.Z"), @"
    Terraform X.Y.Z, environment default
      mono     no changes
      network  no changes
      queues   no changes
    no real object would be touched
    ");
    for line in ["planned mono as it is (", "planned network (", "planned queues ("] {
        assert!(stderr.contains(line), "{stderr}");
    }
    let (code, stdout, _) = desk.run(real(), &["--format", "json", "--parallelism", "1", "-q"]);
    assert_eq!(code, 2);
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["plans"][0]["proof"]["holds"], true, "{stdout}");
    assert_eq!(report["plans"][0]["proof"]["states"][1]["verdict"], "no-changes");
    assert_eq!(report["plans"][0]["split"], "mono");
    let (_, stdout, _) = desk.run(real(), &["--format", "markdown"]);
    assert!(stdout.contains("| `queues` | no changes |"), "{stdout}");
}

#[test]
fn a_proof_that_fails_is_an_error_that_names_what_changes() {
    let desk = Desk::new();
    // In one stack another value reaches Terraform than in the monolith.
    let program = wrapper(
        desk.dir.path(),
        "case \"$PWD\" in */network) export TF_VAR_size=2;; esac",
    );
    let saved = desk.path("saved.json");
    let (code, stdout, stderr) = desk.run(&program, &["--out", &saved.display().to_string()]);
    assert_eq!(code, 1, "{stdout}{stderr}");
    let said = stderr.split_once("error: ").expect("an error").1;
    insta::assert_snapshot!(said, @"
    `network` would change 1 object after the cut
      = note: terraform_data.vpc: update (input, output)
      = note: nothing was written
    hint: an argument has another value than before: see where the attribute's value comes from, the variable files and contracts first
    ");
    assert!(stdout.contains("CHANGED: 1 object"), "{stdout}");
    assert!(!saved.exists(), "what is not proven is not saved");
}

#[test]
fn an_executable_that_is_none_is_refused_before_the_work() {
    let desk = Desk::new();
    let (code, stdout, stderr) = desk.run(Path::new("no-such-terraform"), &[]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    insta::assert_snapshot!(stderr, @"
    error: no executable `no-such-terraform` was found
      = note: nothing was written
    hint: install Terraform or OpenTofu, or name the executable with --terraform
    ");
}

#[test]
fn signals_end_terraform_and_leave_nothing() {
    let desk = Desk::new();
    let pids = desk.path("pids");
    let sleep = format!("sleep 600 & echo $! >> {}; wait", pids.display());
    let program = wrapper(desk.dir.path(), &sleep);
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let before = fingerprint(&desk.path("work"));
        let child = desk.spawn(&program, &[]);
        let deadline = Instant::now() + Duration::from_secs(120);
        while fs::read_to_string(&pids).map_or(0, |text| text.lines().count()) < 2 {
            assert!(Instant::now() < deadline, "no plan began");
            std::thread::sleep(Duration::from_millis(20));
        }
        let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        rustix::process::kill_process(id, signal).unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(stderr.contains("nothing was written"), "{stderr}");
        assert_eq!(desk.left(), Vec::<PathBuf>::new(), "{stderr}");
        assert_eq!(fingerprint(&desk.path("work")), before);
        for pid in fs::read_to_string(&pids).unwrap().lines() {
            let deadline = Instant::now() + Duration::from_secs(10);
            while is_alive(pid) {
                assert!(Instant::now() < deadline, "process {pid} lives on");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        fs::remove_file(&pids).unwrap();
    }
}

/// Two environments of one root module, in workspaces: each is planned with its own state and variable files.
#[test]
fn every_environment_is_proven_with_its_own_state_and_variables() {
    let desk = Desk::new();
    let code = r#"
variable "size" {
  type = number
}

resource "terraform_data" "a" {
  input = var.size
}

resource "terraform_data" "b" {
  input = [terraform_data.a.output, var.size]
}
"#;
    let stacks = r#"
  environment "stage" {
    values    = { environment = "stage" }
    var_files = ["stage.tfvars"]
  }
  environment "prod" {
    values    = { environment = "prod" }
    var_files = ["prod.tfvars"]
  }
  stack "a" { take = ["terraform_data.a"] }
"#;
    fs::remove_dir_all(desk.path("work")).unwrap();
    write(&desk.path("work/main.tf"), formatted(code).as_bytes());
    let terraform = Terraform::new(tools().terraform(), desk.path("work"));
    terraform.init();
    for (name, size) in [("stage", 1), ("prod", 9)] {
        write(
            &desk.path(&format!("work/{name}.tfvars")),
            format!("size = {size}\n").as_bytes(),
        );
        terraform.run(&["workspace", "new", name]).ok();
        let given = format!("-var-file={name}.tfvars");
        terraform
            .run(&["apply", "-auto-approve", "-no-color", &given])
            .ok();
    }
    let plan = plan(stacks)
        .replace(
            "source { dir = \".\" }",
            "source {\n    dir       = \".\"\n    workspace = \"${environment}\"\n  }",
        )
        .replace(
            "STATES/",
            &format!("{}/${{environment}}-", desk.path("states").display()),
        );
    write(&desk.path("work/plan.hcl"), plan.as_bytes());
    let (code, stdout, stderr) = desk.run(real(), &["--format", "json"]);
    assert_eq!(code, 2, "{stdout}{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    for (number, name) in ["stage", "prod"].into_iter().enumerate() {
        let proof = &report["plans"][number]["proof"];
        assert_eq!(proof["environment"], name);
        for state in proof["states"].as_array().unwrap() {
            assert_eq!(state["verdict"], "no-changes", "{proof:#}");
        }
    }
    // With the files swapped the monolith itself would change: that is no fault of the cut.
    fs::rename(desk.path("work/prod.tfvars"), desk.path("work/x")).unwrap();
    fs::copy(desk.path("work/stage.tfvars"), desk.path("work/prod.tfvars")).unwrap();
    let (code, stdout, stderr) = desk.run(real(), &["--env", "prod"]);
    assert_eq!(code, 2, "{stdout}{stderr}");
    assert!(
        stdout.contains("changes only what the monolith's own plan changes"),
        "{stdout}"
    );
}

#[test]
fn where_code_cannot_follow_there_is_nothing_to_plan() {
    let desk = Desk::new();
    let main = desk.path("work/main.tf");
    let code = fs::read_to_string(&main).unwrap();
    let crossing = code.replace("input = \"PLANTED-$", "triggers_replace = 1\n\n  lifecycle {\n    replace_triggered_by = [terraform_data.vpc]\n  }\n  input = \"PLANTED-$");
    assert_ne!(code, crossing);
    fs::write(&main, crossing).unwrap();
    let before = fingerprint(&desk.path("work"));
    let output = desk.spawn(real(), &[]).wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("replace_triggered_by"), "{stderr}");
    assert!(
        stderr.contains("there is no code to plan: the states move alone"),
        "{stderr}"
    );
    assert_eq!(fingerprint(&desk.path("work")), before);
}
