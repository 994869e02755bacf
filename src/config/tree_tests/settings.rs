//! What stands beside the code: the backend with its settings, variable files, the lock file.

use super::*;

fn arguments(found: &EffectiveBackend) -> String {
    let location = &found.location;
    let arguments: Vec<String> = location
        .arguments
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!(
        "{} {} [{}]",
        location.backend,
        arguments.join(" "),
        location.workspace
    )
}

const S3: &str = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key    = \"k\"\n    encrypt = true\n    assume_role = {\n      role_arn = \"r\"\n    }\n  }\n}\n";

fn backend(files: &[(&str, &str)], settings: &[BackendSetting]) -> (String, Vec<String>) {
    let inputs = BackendInputs {
        settings: settings.to_vec(),
        ..BackendInputs::default()
    };
    match load(files).backend(&tree(files), &inputs) {
        Ok(found) => (
            arguments(&found),
            found.diagnostics.iter().map(ToString::to_string).collect(),
        ),
        Err(error) => (error.to_string(), Vec::new()),
    }
}

#[test]
fn the_backend_block_with_its_overrides() {
    let s3 = ("main.tf", S3);
    for (files, expected) in [
        (&[("main.tf", "locals {}\n")][..], "local  [default]"),
        (
            &[s3],
            "s3 assume_role.role_arn=r bucket=b encrypt=true key=k [default]",
        ),
        (
            &[s3, (".terraform/environment", "dev\n")],
            "s3 assume_role.role_arn=r bucket=b encrypt=true key=k [dev]",
        ),
        (
            &[
                s3,
                (
                    "z_override.tf",
                    "terraform {\n  backend \"local\" {\n    path = \"x\"\n    workspace_dir = \"w\"\n  }\n}\n",
                ),
            ],
            "local path=x workspace_dir=w [default]",
        ),
        (
            &[
                s3,
                (
                    "a_override.tf.json",
                    r#"{"terraform": {"backend": {"s3": {"bucket": "j", "max_retries": 3}}}}"#,
                ),
            ],
            "s3 bucket=j max_retries=3 [default]",
        ),
    ] {
        assert_eq!(backend(files, &[]), (expected.to_owned(), vec![]));
    }
}

#[test]
fn backends_that_are_not_supported_are_named() {
    for (text, expected) in [
        (
            "terraform {\n  cloud {\n    organization = \"o\"\n  }\n}\n",
            "`cloud` block",
        ),
        (
            "terraform {\n  backend \"azurerm\" {}\n}\n",
            "the backend `azurerm` is not supported",
        ),
        (
            "terraform {\n  backend \"s3\" {\n    bucket = var.b\n  }\n}\n",
            "backend argument `bucket` depends on",
        ),
    ] {
        let (found, _) = backend(&[("main.tf", text)], &[]);
        assert!(
            found.contains(expected) && found.contains("--> main.tf:"),
            "{found}"
        );
    }
}

#[test]
fn given_settings_win_over_saved_ones_over_the_block() {
    let saved = r#"{"version":3,"serial":1,"lineage":"l","backend":{"type":"s3","config":{"bucket":"saved","key":"k","encrypt":null,
        "assume_role":{"role_arn":"r2","tags":null},"endpoints":[{"s3":"e"}],"allowed_account_ids":["1"],"max_retries":5,
        "access_key":"AKIA","secret_key":"hush"},"hash":10669755453527594976},"modules":[]}"#;
    let files = [
        ("main.tf", S3),
        (".terraform/terraform.tfstate", saved),
        ("b.hcl", "key = \"from-file\"\n"),
    ];
    let (found, warnings) = backend(&files, &[]);
    assert_eq!(
        found,
        "s3 allowed_account_ids=[\"1\"] assume_role.role_arn=r2 bucket=saved endpoints.s3=e key=k max_retries=5 [default]"
    );
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("backend argument `bucket` differs") && warnings[0].contains("main.tf:3:5"));

    let settings = [
        BackendSetting::File("b.hcl".into()),
        BackendSetting::Value("bucket".into(), "given".into()),
    ];
    let (found, _) = backend(&files, &settings);
    assert!(
        found.contains("bucket=given") && found.contains("key=from-file"),
        "{found}"
    );

    let found = load(&files)
        .backend(&tree(&files), &BackendInputs::default())
        .unwrap();
    assert_eq!(found.credentials.get("secret_key"), Some("hush"));
    assert!(!format!("{found:?}").contains("hush"));
}

#[test]
fn what_init_saved_counts_when_the_block_says_another_backend() {
    let saved = r#"{"version":3,"backend":{"type":"local","config":{"path":"p","workspace_dir":null}}}"#;
    let (found, warnings) = backend(&[("main.tf", S3), (".terraform/terraform.tfstate", saved)], &[]);
    assert_eq!(found, "local path=p [default]");
    assert!(
        warnings[0].contains("says backend `s3`, but `init` saved `local`"),
        "{}",
        warnings[0]
    );
    let (found, _) = backend(&[("main.tf", S3), (".terraform/terraform.tfstate", "{")], &[]);
    assert!(
        found.contains("the saved backend in .terraform/terraform.tfstate cannot be read"),
        "{found}"
    );
    let open = "terraform {\n  backend \"s3\" {\n    bucket = var.b\n  }\n}\n";
    let saved = r#"{"version":3,"backend":{"type":"s3","config":{"bucket":"known"}}}"#;
    let (found, warnings) = backend(&[("main.tf", open), (".terraform/terraform.tfstate", saved)], &[]);
    assert_eq!((found.as_str(), warnings.len()), ("s3 bucket=known [default]", 0));
}

#[test]
fn variable_files_in_order_of_precedence() {
    let files = tree(&[
        ("terraform.tfvars", "# name\nname = \"a\"\nsize = 1\n"),
        (
            "terraform.tfvars.json",
            r#"{"size": 2, "raw": "${not.a.template}"}"#,
        ),
        ("z.auto.tfvars", "size = 4\n"),
        ("b.auto.tfvars.json", r#"{"size": 3}"#),
        ("env/prod.tfvars", "list = [1, \"x\", { a = -1.50 }]\n"),
        ("other.tfvars", "name = \"never\"\n"),
    ]);
    let variables = Variables::load(&files, &["env/prod.tfvars".to_owned()]).unwrap();
    let shown = |name: &str| {
        let (file, entry) = variables.get(name).unwrap();
        format!("{} {}", file.file.name, file.literal(entry).unwrap().to_json())
    };
    assert_eq!(shown("name"), "terraform.tfvars \"a\"");
    assert_eq!(shown("size"), "z.auto.tfvars 4");
    assert_eq!(shown("raw"), "terraform.tfvars.json \"${not.a.template}\"");
    assert_eq!(shown("list"), "prod.tfvars [1,\"x\",{\"a\":-1.50}]");
    let (file, entry) = variables.get("name").unwrap();
    assert_eq!(file.file.text(&entry.full), "# name\nname = \"a\"\n");
    let error = Variables::load(&files, &["none.tfvars".to_owned()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read none.tfvars: there is no such file"
    );
}

#[test]
fn the_lock_file_is_cut_into_its_providers() {
    let text = "# This file is maintained automatically by \"terraform init\".\n\nprovider \"registry.terraform.io/hashicorp/aws\" {\n  version = \"5.0.0\"\n  hashes = [\n    \"h1:x\",\n  ]\n}\n";
    let lock = LockFile::load(&tree(&[(LOCK_FILE, text)])).unwrap().unwrap();
    assert_eq!(
        lock.providers().collect::<Vec<_>>(),
        [("registry.terraform.io/hashicorp/aws", 0)]
    );
    assert!(
        lock.file
            .text(&lock.file.blocks[0].full)
            .starts_with("provider \"registry")
    );
    assert_eq!(LockFile::load(&MemoryTree::new()).unwrap(), None);
}
