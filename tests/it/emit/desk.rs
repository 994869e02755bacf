//! A directory with a monolith and a plan file, in which commands are run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::command::Ended;
use crate::support::terraform::{OVERRIDE_FILE, Terraform, changes};
use crate::support::tools::TerraformBin;

/// The directory.
pub struct Desk {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Desk {
    /// Writes files; `DESK` in them is the directory.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let desk = Self {
            dir: tempfile::tempdir().unwrap(),
            env: Vec::new(),
        };
        for (path, text) in files {
            desk.write(path, text);
        }
        desk
    }

    /// Sets the environment of every command.
    pub fn envs(mut self, env: Vec<(String, String)>) -> Self {
        self.env = env;
        self
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let place = self.path(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let text = text.replace("DESK", &self.dir.path().display().to_string());
        fs::write(place, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        let place = self.path(path);
        fs::read_to_string(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))
    }

    /// Runs stackcut.
    pub fn run(&self, args: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_stackcut"))
            .args(args)
            .current_dir(self.dir.path())
            .env("NO_COLOR", "1")
            .env_remove("TF_WORKSPACE")
            .env_remove("TF_DATA_DIR")
            .envs(Terraform::base_env())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output();
        output.unwrap().into()
    }

    /// Terraform in a directory.
    pub fn terraform(&self, bin: &TerraformBin, dir: &str) -> Terraform {
        let env = self.env.iter().map(|(name, value)| (name, value));
        Terraform::new(bin, self.path(dir)).envs(env)
    }

    /// Returns every file below a directory, by its path in it; without what belongs to Terraform or to a test.
    pub fn tree(&self, dir: &str) -> Vec<(String, String)> {
        let root = self.path(dir);
        let mut found = Vec::new();
        collect(&root, &root, &mut found);
        found.sort();
        found
    }

    /// Replaces the code of the monolith by what is left of it.
    pub fn commit(&self, left: &str, monolith: &str) {
        for entry in fs::read_dir(self.path(monolith)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with('.') || name.contains(".tfstate") {
                continue;
            }
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else {
                fs::remove_file(path).unwrap();
            }
        }
        for (path, text) in self.tree(left) {
            let place = self.path(monolith).join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, text).unwrap();
        }
    }

    /// Returns the ID of the one migration.
    pub fn migration(&self, plan: &str) -> String {
        let status = self.run(&["status", plan, "--format", "json"]).json();
        fn id(value: &Value) -> Option<String> {
            match value {
                Value::Object(members) => match members.get("id") {
                    Some(Value::String(id)) => Some(id.clone()),
                    _ => members.values().find_map(id),
                },
                Value::Array(items) => items.iter().find_map(id),
                _ => None,
            }
        }
        id(&status).unwrap_or_else(|| panic!("{status:#}"))
    }
}

fn collect(root: &Path, dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == ".terraform" || name.contains(".tfstate") || name == OVERRIDE_FILE {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let relative = path.strip_prefix(root).unwrap().display().to_string();
            let bytes = fs::read(&path).unwrap();
            found.push((relative, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// Asserts that a plan changes nothing but contract objects, which it creates.
pub fn only_contracts(terraform: &Terraform) {
    let found = changes(&terraform.plan_json());
    let other: Vec<&String> = found
        .iter()
        .filter(|change| {
            let is_object = [
                ".aws_ssm_parameter.this[0]: create",
                ".aws_s3_bucket_object.this[0]: create",
                ".aws_s3_object.this[0]: create",
            ]
            .iter()
            .any(|ending| change.ends_with(ending));
            !(change.starts_with("module.contract") && is_object)
        })
        .collect();
    assert!(other.is_empty(), "{}: {other:#?}", terraform.dir().display());
}
