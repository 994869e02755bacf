//! Runs a real `terraform` or `tofu` in a directory, and writes the HCL that points it at the emulator.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::aws::REGION;
use super::tools::{TerraformBin, tools};

/// Name for the file with [`aws_override`]: an override file, and the last one, so that it has the last word.
pub const OVERRIDE_FILE: &str = "zz_emulator_override.tf";

/// A Terraform binary, a root module and an environment to run it in.
///
/// Of the developer's own environment only `PATH`, `TMPDIR` and the language remain; no `AWS_*` or `TF_*` leaks in.
#[derive(Debug, Clone)]
pub struct Terraform {
    bin: TerraformBin,
    dir: PathBuf,
    env: Vec<(OsString, OsString)>,
    timeout: Duration,
}

/// How a command ended.
#[derive(Debug)]
#[must_use]
pub struct Output {
    /// What was run, for messages.
    pub what: String,
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Output {
    /// Panics with everything that was printed unless the command succeeded, and returns standard output.
    pub fn ok(self) -> String {
        self.code(0)
    }

    /// Panics with everything that was printed unless the exit code is this one, and returns standard output.
    pub fn code(self, code: i32) -> String {
        assert!(self.code == Some(code), "expected exit code {code}\n{self}");
        self.stdout
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            what,
            code,
            stdout,
            stderr,
            took,
        } = self;
        write!(
            f,
            "{what}: exit code {code:?} after {took:.1?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

impl Terraform {
    /// Terraform `bin`, to be run in the root module `dir`.
    pub fn new(bin: &TerraformBin, dir: impl Into<PathBuf>) -> Self {
        Self {
            bin: bin.clone(),
            dir: dir.into(),
            env: Vec::new(),
            timeout: Duration::from_secs(300),
        }
    }

    /// Adds an environment variable, which wins over the ones set before.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Adds environment variables, such as those of an account.
    #[must_use]
    pub fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(self, vars: impl IntoIterator<Item = (N, V)>) -> Self {
        vars.into_iter()
            .fold(self, |this, (name, value)| this.env(name, value))
    }

    /// Sets how long one command may take (300 s unless set); it is killed afterwards and the test panics.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same binary and environment in another root module.
    #[must_use]
    pub fn in_dir(&self, dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            ..self.clone()
        }
    }

    /// Returns the root module's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the environment variables that were added.
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        self.env.clone()
    }

    /// Returns the variables that make Terraform work offline and without questions, and nothing else of the
    /// surroundings. `stackcut` needs them too when it runs Terraform.
    pub fn base_env() -> Vec<(OsString, OsString)> {
        let kept = ["PATH", "TMPDIR", "LANG", "LC_ALL"];
        let mut env: Vec<(OsString, OsString)> = kept
            .iter()
            .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
            .collect();
        let tools = tools();
        let config = tools.terraformrc();
        let home = config.with_file_name("home");
        for (name, value) in [
            ("HOME", home.as_os_str()),
            ("TF_CLI_CONFIG_FILE", config.as_os_str()),
            ("CHECKPOINT_DISABLE", OsStr::new("1")),
            ("TF_IN_AUTOMATION", OsStr::new("1")),
            ("TF_INPUT", OsStr::new("0")),
        ] {
            env.push((name.into(), value.to_owned()));
        }
        env
    }

    /// Returns the command, ready to be spawned by a test that wants to feed it, signal it or kill it.
    ///
    /// It leads a process group of its own, so that its provider plugins can be killed with it.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.bin.path);
        command.args(args).current_dir(&self.dir).env_clear();
        command
            .envs(Self::base_env())
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).process_group(0);
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    ///
    /// When it does not start or does not end in time.
    pub fn run(&self, args: &[&str]) -> Output {
        let what = format!(
            "{} {} {}",
            self.bin.path.display(),
            self.bin.version,
            args.join(" ")
        );
        let started = Instant::now();
        let mut child = self
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{what}: did not start: {error}"));
        let stdout = drain(child.stdout.take().expect("it was piped"));
        let stderr = drain(child.stderr.take().expect("it was piped"));
        let (code, late) = wait(&mut child, started + self.timeout);
        let text = |reader: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&reader.join().expect("reading does not panic")).into_owned()
        };
        let output = Output {
            what,
            code,
            stdout: text(stdout),
            stderr: text(stderr),
            took: started.elapsed(),
        };
        assert!(!late, "killed: not done in time\n{output}");
        output
    }

    /// `init`.
    pub fn init(&self) -> String {
        self.run(&["init", "-no-color"]).ok()
    }

    /// `apply` without asking.
    pub fn apply(&self) -> String {
        self.run(&["apply", "-auto-approve", "-no-color"]).ok()
    }

    /// `apply -refresh-only` without asking: afterwards the state says what a refresh finds.
    ///
    /// Right after an `apply` it does not yet: this AWS provider reads `tags = {}` where it wrote `null`, which counts
    /// as drift once. Settle a monolith before it is split, and later drift is the split's doing.
    pub fn settle(&self) -> String {
        self.run(&["apply", "-refresh-only", "-auto-approve", "-no-color"])
            .ok()
    }

    /// `destroy` without asking.
    pub fn destroy(&self) -> String {
        self.run(&["destroy", "-auto-approve", "-no-color"]).ok()
    }

    /// `plan` and `show -json`: the plan as JSON.
    pub fn plan_json(&self) -> Value {
        let scratch = tempfile::tempdir().expect("a scratch directory can be made");
        let file = scratch.path().join("plan");
        let file = file.to_str().expect("scratch directories have plain names");
        self.run(&["plan", "-no-color", &format!("-out={file}")]).ok();
        self.json(&["show", "-json", file])
    }

    /// Runs a command that must succeed and print one JSON document.
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.run(args).ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error} in {text}"))
    }

    /// Panics unless a plan changes, moves, forgets or imports nothing, no output changes and nothing has drifted.
    /// The message lists every change by its address.
    pub fn assert_no_changes(&self) {
        let changes = changes(&self.plan_json());
        assert!(
            changes.is_empty(),
            "{}: the plan is not empty:\n{}",
            self.dir.display(),
            changes.join("\n")
        );
    }

    /// `state pull`: the state as the backend holds it; empty if there is none.
    pub fn state_pull(&self) -> String {
        self.run(&["state", "pull"]).ok()
    }

    /// `state list`: the addresses in its order; none if there is no state.
    pub fn state_list(&self) -> Vec<String> {
        let output = self.run(&["state", "list", "-no-color"]);
        if output.code == Some(1) && output.stderr.contains("No state file was found") {
            return Vec::new();
        }
        output.ok().lines().map(str::to_owned).collect()
    }
}

/// Returns one line for everything that a plan (as JSON) would do: `<address>: <actions>`, with moves, imports,
/// deposed objects, outputs and drift. Reads of data sources count, since a stack at rest has none.
pub fn changes(plan: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let list = |field: &str| plan[field].as_array().cloned().unwrap_or_default();
    for (field, mark) in [("resource_changes", ""), ("resource_drift", " (drift)")] {
        for change in list(field) {
            let address = change["address"].as_str().unwrap_or("?");
            let actions = actions(&change["change"]);
            let moved = change["previous_address"]
                .as_str()
                .map(|from| format!(" (moved from {from})"));
            let imported = change["change"]["importing"]
                .is_object()
                .then(|| " (imported)".to_owned());
            let deposed = change["deposed"].as_str().map(|key| format!(" (deposed {key})"));
            if actions != "no-op" || moved.is_some() || imported.is_some() {
                let notes: String = [moved, imported, deposed].into_iter().flatten().collect();
                found.push(format!("{address}: {actions}{notes}{mark}"));
            }
        }
    }
    for (name, change) in plan["output_changes"].as_object().into_iter().flatten() {
        let actions = actions(change);
        if actions != "no-op" {
            found.push(format!("output.{name}: {actions}"));
        }
    }
    found
}

fn actions(change: &Value) -> String {
    let actions = change["actions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    actions
        .iter()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("+")
}

fn drain(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A broken pipe ends the text where it broke, which is all there is to show.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// Waits until the deadline, then kills the process group; says whether it had to.
fn wait(child: &mut Child, deadline: Instant) -> (Option<i32>, bool) {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().expect("our own child can be waited for") {
            return (status.code(), false);
        }
        if Instant::now() >= deadline {
            kill_group(child);
            let _ = child.wait();
            return (None, true);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Kills a child made by [`Terraform::command`], and its provider plugins, with SIGKILL.
pub fn kill_group(child: &Child) {
    let id = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    // It may have ended by itself a moment ago.
    let _ = rustix::process::kill_process_group(
        id.expect("a process id is positive"),
        rustix::process::Signal::KILL,
    );
}

/// Every service that the AWS provider 3.39 can be given an endpoint for.
const SERVICES: &str = "\
    accessanalyzer acm acmpca amplify apigateway appconfig applicationautoscaling \
    applicationinsights appmesh appstream appsync athena auditmanager autoscaling autoscalingplans \
    backup batch budgets cloud9 cloudformation cloudfront cloudhsm cloudsearch cloudtrail cloudwatch \
    cloudwatchevents cloudwatchlogs codeartifact codebuild codecommit codedeploy codepipeline \
    codestarconnections cognitoidentity cognitoidp configservice connect cur dataexchange \
    datapipeline datasync dax detective devicefarm directconnect dlm dms docdb ds dynamodb ec2 ecr \
    ecrpublic ecs efs eks elasticache elasticbeanstalk elastictranscoder elb emr emrcontainers es \
    firehose fms forecast fsx gamelift glacier globalaccelerator glue greengrass guardduty iam \
    identitystore imagebuilder inspector iot iotanalytics iotevents kafka kinesis kinesisanalytics \
    kinesisanalyticsv2 kinesisvideo kms lakeformation lambda lexmodels licensemanager lightsail \
    macie macie2 managedblockchain marketplacecatalog mediaconnect mediaconvert medialive \
    mediapackage mediastore mediastoredata mq mwaa neptune networkfirewall networkmanager opsworks \
    organizations outposts personalize pinpoint pricing qldb quicksight ram rds redshift \
    resourcegroups resourcegroupstaggingapi route53 route53domains route53resolver s3 s3control \
    s3outposts sagemaker sdb secretsmanager securityhub serverlessrepo servicecatalog \
    servicediscovery servicequotas ses shield signer sns sqs ssm ssoadmin stepfunctions \
    storagegateway sts swf synthetics timestreamwrite transfer waf wafregional wafv2 worklink \
    workmail workspaces xray";

/// Returns the override file that sends every request of the AWS provider 3.39 to `endpoint`, for the default
/// configuration and for each alias. It changes nothing else of the root module's provider blocks, which must exist.
pub fn aws_override(endpoint: &str, aliases: &[&str]) -> String {
    let mut text = provider_block(endpoint, "");
    for alias in aliases {
        text.push_str(&provider_block(endpoint, &format!("  alias = \"{alias}\"\n")));
    }
    text
}

/// Returns a provider block of its own for root modules that have none.
pub fn aws_provider(endpoint: &str) -> String {
    provider_block(endpoint, &format!("  region = \"{REGION}\"\n"))
}

/// The account is asked for, since the emulator answers, and identifiers hold it as in a real run. Few retries: the
/// emulator refuses for good what it does not know, and 25 attempts with pauses would only hide that for minutes.
fn provider_block(endpoint: &str, first: &str) -> String {
    let mut text = format!(
        "provider \"aws\" {{\n{first}  skip_credentials_validation = true\n  skip_metadata_api_check = true\n  \
         skip_get_ec2_platforms = true\n  max_retries = 2\n  s3_force_path_style = true\n  endpoints {{\n"
    );
    for service in SERVICES.split_whitespace() {
        text.push_str(&format!("    {service} = \"{endpoint}\"\n"));
    }
    text.push_str("  }\n}\n");
    text
}

/// Returns a `terraform` block with an S3 backend and a DynamoDB lock table; the account's environment supplies the
/// rest.
pub fn s3_backend(bucket: &str, key: &str, table: &str) -> String {
    format!(
        "terraform {{\n  backend \"s3\" {{\n    bucket = \"{bucket}\"\n    key = \"{key}\"\n    region = \"{REGION}\"\n    \
         dynamodb_table = \"{table}\"\n  }}\n}}\n"
    )
}
