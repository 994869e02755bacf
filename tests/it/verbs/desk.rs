//! A monolith with its plan file, its states in local files or in an emulated bucket, and a person who types commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::shop::{CODE_AFTER, STACKS, TAKES, code, state};
use crate::support::aws::{Account, REGION};
use crate::support::command::Ended;
use crate::support::moto::Moto;
use crate::support::terraform::Terraform;
use crate::support::tools::TerraformBin;

/// Where the states are.
enum Place {
    Local,
    Bucket { aws: Account, bucket: String },
}

/// A working directory.
pub(super) struct Desk {
    dir: tempfile::TempDir,
    place: Place,
}

pub(super) const PLAN: &str = "plans/shop.hcl";

impl Desk {
    pub(super) fn local() -> Self {
        Self::new(Place::Local)
    }

    pub(super) fn bucket() -> Self {
        let aws = Moto::shared().account();
        let bucket = aws.unique_bucket("state");
        aws.create_lock_table("locks");
        Self::new(Place::Bucket { aws, bucket })
    }

    fn new(place: Place) -> Self {
        let desk = Self {
            dir: tempfile::tempdir().unwrap(),
            place,
        };
        desk.put_file(PLAN, &desk.plan(&STACKS));
        desk.put_file("mono/backend.tf", &desk.backend("shop"));
        desk.put_file("mono/main.tf", &code());
        desk.put("shop", &state(""));
        desk
    }

    /// Returns the plan file, with these stacks.
    pub(super) fn plan(&self, stacks: &[&str]) -> String {
        let mut text =
            "split \"shop\" {\n  source {\n    dir = \"../mono\"\n  }\n\n  defaults {\n".to_owned();
        text.push_str(match self.place {
            Place::Local => {
                "    backend \"local\" {\n      path = \"../${stack}/terraform.tfstate\"\n    }\n  }\n"
            }
            Place::Bucket { .. } => {
                "    backend \"s3\" {\n      key = \"stacks/${stack}.tfstate\"\n    }\n  }\n"
            }
        });
        for (stack, take) in STACKS
            .iter()
            .zip(TAKES)
            .filter(|(stack, _)| stacks.contains(stack))
        {
            text.push_str(&format!(
                "\n  stack \"{stack}\" {{\n    layer = \"service\"\n    take  = [\"terraform_data.{take}\"]\n  }}\n"
            ));
        }
        text.push_str("}\n");
        text
    }

    /// Returns the backend block of a state's code.
    pub(super) fn backend(&self, name: &str) -> String {
        match &self.place {
            Place::Local => String::new(),
            Place::Bucket { bucket, .. } => format!(
                "terraform {{\n  backend \"s3\" {{\n    bucket         = \"{bucket}\"\n    key            = \"{}\"\n    \
                 region         = \"{REGION}\"\n    dynamodb_table = \"locks\"\n    use_lockfile   = true\n  }}\n}}\n",
                key(name)
            ),
        }
    }

    /// Real Terraform, in the directory of a state's code.
    pub(super) fn terraform(&self, bin: &TerraformBin, dir: &str) -> Terraform {
        let terraform = Terraform::new(bin, self.path(dir));
        match &self.place {
            Place::Local => terraform,
            Place::Bucket { aws, .. } => terraform.envs(aws.env()),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn put_file(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The place of a state, as messages say it.
    pub(super) fn location(&self, name: &str) -> String {
        match &self.place {
            Place::Local => fs::canonicalize(self.dir.path())
                .unwrap()
                .join(local(name))
                .display()
                .to_string(),
            Place::Bucket { bucket, .. } => format!("{bucket}/{}", key(name)),
        }
    }

    /// Reads a state.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let bytes = match &self.place {
            Place::Local => fs::read(self.path(&local(name)))
                .ok()
                .filter(|bytes| !bytes.is_empty()),
            Place::Bucket { aws, bucket } => aws.get_object(bucket, &key(name)),
        };
        bytes.map(|bytes| String::from_utf8(bytes).unwrap())
    }

    /// Writes a state, as somebody who does not lock. (Without digest item: there is none for a foreign write to break.)
    pub(super) fn put(&self, name: &str, text: &str) {
        match &self.place {
            Place::Local => self.put_file(&local(name), text),
            Place::Bucket { aws, bucket } => {
                aws.put_object(bucket, &key(name), text.as_bytes());
                aws.delete_item("locks", &format!("{bucket}/{}-md5", key(name)));
            }
        }
    }

    /// Returns every state by name, the source first.
    pub(super) fn states(&self) -> Vec<(String, Option<String>)> {
        std::iter::once("shop")
            .chain(STACKS)
            .map(|name| (name.to_owned(), self.get(name)))
            .collect()
    }

    /// Returns locks, and files that are nobody's.
    pub(super) fn leftovers(&self) -> Vec<String> {
        let mut found: Vec<String> = files(self.dir.path())
            .into_iter()
            .filter(|path| {
                let path = path.to_string_lossy();
                path.ends_with(".lock.info") || path.contains("/.tmp-") || path.contains("/.stackcut-")
            })
            .map(|path| path.display().to_string())
            .collect();
        if let Place::Bucket { aws, bucket } = &self.place {
            let objects = aws.list_objects(bucket, "");
            found.extend(objects.into_iter().filter(|key| key.ends_with(".tflock")));
            let items = aws.list_items("locks");
            found.extend(
                items
                    .into_iter()
                    .map(|item| item["LockID"].clone())
                    .filter(|id| !id.ends_with("-md5")),
            );
        }
        found
    }

    /// Returns all that is kept anywhere, but for states, the code and the plan file: name and content.
    pub(super) fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let states: Vec<PathBuf> = std::iter::once("shop")
            .chain(STACKS)
            .map(|name| self.path(&local(name)))
            .collect();
        let mut kept: Vec<(String, Vec<u8>)> = files(self.dir.path())
            .into_iter()
            .filter(|path| path.is_file() && !states.contains(path))
            .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
            .collect();
        if let Place::Bucket { aws, bucket } = &self.place {
            let states: Vec<String> = std::iter::once("shop").chain(STACKS).map(key).collect();
            for key in aws.list_objects(bucket, "") {
                if !states.contains(&key) {
                    let body = aws.get_object(bucket, &key).unwrap_or_default();
                    kept.push((key, body));
                }
            }
            for item in aws.list_items("locks") {
                kept.push(("item".to_owned(), format!("{item:?}").into_bytes()));
            }
        }
        kept
    }

    /// Lets kim hold the lock of a state file, as another migration would.
    pub(super) fn lock_by_kim(&self, path: &str) -> PathBuf {
        let (dir, name) = path.rsplit_once('/').unwrap();
        let lock = format!("{dir}/.{name}.lock.info");
        self.put_file(
            &format!("{lock}/lock.json"),
            r#"{"ID":"9db590f1-b6fe-c5f2-2678-8804f089deba","Operation":"stackcut-apply","Info":"migration m-1","Who":"kim@desk","Version":"0.1.0","Created":"2026-11-25T08:00:00Z","Path":"terraform.tfstate"}"#,
        );
        self.path(&lock)
    }

    /// Puts a lock object beside a state in a bucket, in the place of what stands there.
    pub(super) fn put_lock_object(&self, name: &str, text: &str) {
        let Place::Bucket { aws, bucket } = &self.place else {
            panic!("states in files have no lock objects");
        };
        aws.put_object(bucket, &format!("{}.tflock", key(name)), text.as_bytes());
    }

    /// Deletes the backups of a migration's source.
    pub(super) fn lose_backups(&self) {
        fs::remove_dir_all(self.path("mono/.terraform.tfstate.stackcut/backup")).unwrap();
    }

    /// Counts the records of all journals.
    pub(super) fn records(&self) -> usize {
        let is_record = |name: &str| name.contains("/journal/") && name.ends_with(".json");
        match &self.place {
            Place::Local => {
                let beside = self.path("mono/.terraform.tfstate.stackcut");
                let files = if beside.exists() {
                    files(&beside)
                } else {
                    Vec::new()
                };
                files
                    .iter()
                    .filter(|path| is_record(&path.to_string_lossy()))
                    .count()
            }
            Place::Bucket { aws, bucket } => {
                let objects = aws.list_objects(bucket, "");
                objects.iter().filter(|key| is_record(key)).count()
            }
        }
    }

    pub(super) fn is_bucket(&self) -> bool {
        matches!(self.place, Place::Bucket { .. })
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stackcut"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("NO_COLOR", "1")
            .env("USER", "jo")
            .stdin(Stdio::null());
        if let Place::Bucket { aws, .. } = &self.place {
            command.envs(aws.env());
        }
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Ended {
        self.command(args).output().unwrap().into()
    }

    /// Starts a command whose output is kept for [`ended`].
    pub(super) fn start(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub(super) fn apply(&self) -> Ended {
        self.run(&["apply", PLAN, "--auto-approve"])
    }

    /// Runs a command on one migration.
    pub(super) fn on(&self, verb: &str, id: &str, args: &[&str]) -> Ended {
        self.run(&[&[verb, id], args].concat())
    }

    /// Returns the migrations that `status` lists.
    pub(super) fn migrations(&self) -> Vec<Value> {
        let status = self.run(&["status", "--format", "json"]).code(0);
        status.json()["migrations"].as_array().unwrap().clone()
    }

    /// Returns the ID of the only migration.
    pub(super) fn id(&self) -> String {
        let all = self.migrations();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0]["id"].as_str().unwrap().to_owned()
    }

    /// Takes what moves out of the code.
    pub(super) fn clear_code(&self) {
        self.put_file("mono/main.tf", CODE_AFTER);
    }

    /// Replaces what differs between runs.
    pub(super) fn stable(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for id in ids(&text) {
            text = text.replace(&id, "ID");
        }
        let root = fs::canonicalize(self.dir.path()).unwrap();
        text = text.replace(&root.display().to_string(), "/home");
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        text.replace(&format!("jo@{host}"), "jo@host")
    }

    pub(super) fn transcript(&self, args: &[&str]) -> String {
        self.stable(&self.run(args).transcript())
    }
}

/// Waits for a command, and returns how it ended.
pub(super) fn ended(child: Child) -> Ended {
    child.wait_with_output().unwrap().into()
}

/// Finds migration IDs: `20261125-shop-0a1b2c3d`.
fn ids(text: &str) -> Vec<String> {
    text.match_indices("-shop-")
        .filter_map(|(at, _)| {
            let id = text.get(at.checked_sub(8)?..at + 14)?;
            id[..8].bytes().all(|b| b.is_ascii_digit()).then(|| id.to_owned())
        })
        .collect()
}

/// Returns the path of a state below the working directory.
fn local(name: &str) -> String {
    match name {
        "shop" => "mono/terraform.tfstate".to_owned(),
        stack => format!("{stack}/terraform.tfstate"),
    }
}

fn key(name: &str) -> String {
    match name {
        "shop" => "mono.tfstate".to_owned(),
        stack => format!("stacks/{stack}.tfstate"),
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // The program may be at work here.
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
            // An empty directory may be somebody's lock.
            found.push(path);
        } else {
            found.push(path);
        }
    }
    found.retain(|path| !path.is_dir() || path.to_string_lossy().ends_with(".lock.info"));
    found.sort();
    found
}
