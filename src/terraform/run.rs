//! `init`, `plan` and `show -json` in a scratch root module.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, RwLock};

use super::process::{Job, Stdout, run};
use super::scratch::make_dirs;
use super::{Scratch, ScratchRoot, Stop, Terraform, TerraformError};

/// Where `init` keeps its data, relative to the root module.
pub(super) const DATA_DIR: &str = ".terraform";

const LOCK_FILE: &str = ".terraform.lock.hcl";

/// What a plan needs besides the root module.
#[derive(Clone, Debug, Default)]
pub struct Planning {
    /// The workspace; the state is where the backend of the root module has it for that one.
    pub workspace: String,
    /// Variable files, relative to the root module or absolute.
    pub var_files: Vec<PathBuf>,
}

/// Providers that several root modules share, so that each is fetched once.
///
/// Terraform promises nothing for two `init` that fill one cache at the same time. So one that may fill it has it alone;
/// one whose lock file was served before only reads.
#[derive(Debug)]
pub struct Cache {
    dir: Option<PathBuf>,
    gate: RwLock<()>,
    served: Mutex<BTreeSet<Vec<u8>>>,
}

impl Cache {
    /// Takes the cache of the user where there is one, else makes one in the scratch directory.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn new(scratch: &Scratch, terraform: &Terraform) -> Result<Self, TerraformError> {
        let own = scratch.path().join("providers");
        let dir = match has_cache(terraform) {
            true => None,
            false => {
                make_dirs(&own)?;
                Some(own)
            }
        };
        Ok(Self {
            dir,
            gate: RwLock::new(()),
            served: Mutex::new(BTreeSet::new()),
        })
    }
}

/// Tells whether the user's surroundings name a provider cache.
fn has_cache(terraform: &Terraform) -> bool {
    let variable = |name: &str| {
        let given = terraform.env.iter().rev().find(|(given, _)| given == name);
        given
            .map(|(_, value)| value.clone())
            .or_else(|| env::var_os(name))
            .filter(|value| !value.is_empty())
    };
    if variable("TF_PLUGIN_CACHE_DIR").is_some() {
        return true;
    }
    let files: Vec<PathBuf> = match variable("TF_CLI_CONFIG_FILE").or_else(|| variable("TERRAFORM_CONFIG")) {
        Some(file) => vec![file.into()],
        None => variable("HOME")
            .map(|home| {
                [".terraformrc", ".tofurc"]
                    .map(|name| Path::new(&home).join(name))
                    .into()
            })
            .unwrap_or_default(),
    };
    files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .any(|text| {
            text.lines()
                .any(|line| line.trim_start().starts_with("plugin_cache_dir"))
        })
}

/// Variables that would make the child do something else, or make it talk about states.
const REMOVED: [&str; 9] = [
    "TF_CLI_ARGS",
    "TF_CLI_ARGS_init",
    "TF_CLI_ARGS_show",
    "TF_LOG",
    "TF_LOG_CORE",
    "TF_LOG_PROVIDER",
    "TF_LOG_PATH",
    "TF_WORKSPACE",
    "TF_DATA_DIR",
];

impl Terraform {
    /// Initialises and plans a scratch root module, whose backend must be local, and returns the plan as JSON.
    ///
    /// The JSON holds secrets in clear text: it never leaves memory, and the plan file goes with the scratch directory.
    ///
    /// # Errors
    ///
    /// What Terraform says, a time-out, a wish to stop.
    pub fn plan_json(
        &self,
        root: &ScratchRoot,
        planning: &Planning,
        cache: &Cache,
        stop: Stop<'_>,
    ) -> Result<Vec<u8>, TerraformError> {
        let env = self.environment(planning, cache);
        let go = |args: &[OsString], stdout| {
            let job = Job {
                program: &self.program,
                args,
                dir: root.dir(),
                env: &env,
                stdout,
                timeout: self.timeout,
            };
            run(&job, stop)
        };
        init(root, cache, &|| {
            go(&words(&["init", "-input=false", "-no-color"]), Stdout::Dropped)
        })?;
        // Made by us, so that nobody else can read it from the first byte on.
        let file = root.write_beside("plan", b"")?;
        let mut plan = words(&["plan", "-input=false", "-no-color", "-lock=false"]);
        let mut add = |flag: &str, value: &Path| {
            let mut word = OsString::from(flag);
            word.push(value);
            plan.push(word);
        };
        add("-out=", &file);
        for path in &planning.var_files {
            add("-var-file=", path);
        }
        match go(&plan, Stdout::Dropped) {
            // Someone's TF_CLI_ARGS_plan asks for detailed exit codes: there are changes, and the plan says which.
            Err(TerraformError::Failed { code: Some(2), .. }) => {}
            other => drop(other?),
        }
        let mut show = words(&["show", "-json", "-no-color"]);
        show.push(file.into_os_string());
        go(&show, Stdout::Kept)
    }

    fn environment(&self, planning: &Planning, cache: &Cache) -> Vec<(OsString, Option<OsString>)> {
        let given = self
            .env
            .iter()
            .map(|(name, value)| (name.clone(), Some(value.clone())));
        let mut env: Vec<(OsString, Option<OsString>)> = given.collect();
        env.extend(REMOVED.iter().map(|name| (OsString::from(name), None)));
        let mut set = |name: &str, value: OsString| env.push((name.into(), Some(value)));
        set("TF_DATA_DIR", DATA_DIR.into());
        set("TF_INPUT", "0".into());
        set("TF_IN_AUTOMATION", "1".into());
        set("CHECKPOINT_DISABLE", "1".into());
        if !matches!(planning.workspace.as_str(), "" | "default") {
            set("TF_WORKSPACE", planning.workspace.clone().into());
        }
        if let Some(dir) = &cache.dir {
            set("TF_PLUGIN_CACHE_DIR", dir.clone().into_os_string());
        }
        env
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// Runs `init`, alone where it may fill the cache.
fn init(
    root: &ScratchRoot,
    cache: &Cache,
    go: &dyn Fn() -> Result<Vec<u8>, TerraformError>,
) -> Result<(), TerraformError> {
    let lock = fs::read(root.dir().join(LOCK_FILE)).unwrap_or_default();
    let was_served = |cache: &Cache| {
        let served = cache.served.lock().expect("no holder panics");
        !lock.is_empty() && served.contains(&lock)
    };
    if was_served(cache) {
        let _shared = cache.gate.read().expect("no holder panics");
        return go().map(drop);
    }
    let _alone = cache.gate.write().expect("no holder panics");
    go()?;
    cache.served.lock().expect("no holder panics").insert(lock);
    Ok(())
}
