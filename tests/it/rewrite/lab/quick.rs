//! Runs without `init`: what many cases need is a state beside the code and the list of modules that `init` would write.

use std::fs;
use std::path::Path;

use stackcut::config::{Configuration, LoadOptions};
use stackcut::workdir::WorkDir;

use super::{CutMade, Lab, changes, write};

impl Lab {
    /// Applies the monolith, which has neither a backend block nor providers that are not built in.
    pub fn apply_quickly(self) -> Self {
        list_modules(&self.monolith);
        self.terraform.apply();
        self
    }
}

impl CutMade {
    /// Plans every stack at once, with its state beside its code instead of where its backend has it.
    pub fn prove_quickly(&self) {
        for id in &self.rewritten.order {
            let dir = self.stack(id);
            let state = self.dir.join(format!("states/{}.tfstate", id.name()));
            if state.exists() {
                fs::remove_file(dir.join("backend.tf")).expect("it was written");
                fs::copy(&state, dir.join("terraform.tfstate")).unwrap();
            }
            list_modules(&dir);
            let plan = ["plan", "-no-color", "-detailed-exitcode", "-lock=false"];
            let ended = self.terraform(id).run(&plan);
            if ended.code != Some(0) {
                let found = match ended.code {
                    Some(2) => format!("{:#?}", changes(&self.terraform(id).plan_json())),
                    _ => ended.to_string(),
                };
                panic!("{id}:\n{found}\n{}", self.listing(id));
            }
        }
        self.terraform
            .in_dir(&self.dir)
            .run(&["fmt", "-check", "-diff", "-recursive", "-no-color"])
            .ok();
    }
}

/// Writes the list of local modules, as `init` does.
fn list_modules(dir: &Path) {
    let configuration = Configuration::load(&WorkDir::new(dir), &LoadOptions::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let modules: Vec<serde_json::Value> = configuration
        .modules()
        .map(|module| {
            let at = match module.source.dir.as_str() {
                "" => ".",
                dir => dir,
            };
            let source = match module.address.0.is_empty() {
                true => String::new(),
                false => format!("./{at}"),
            };
            serde_json::json!({ "Key": module.address.0.join("."), "Source": source, "Dir": at })
        })
        .collect();
    let manifest = serde_json::json!({ "Modules": modules }).to_string();
    write(&dir.join(".terraform/modules/modules.json"), manifest.as_bytes());
}
