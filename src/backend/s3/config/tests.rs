//! What the arguments and the environment come to, by table.

mod credentials;
mod transport;

use std::collections::BTreeMap;

use super::*;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn map(pairs: Pairs<'_>) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// The configuration of these arguments, on top of the least that is needed.
fn effective(arguments: Pairs<'_>, env: Pairs<'_>) -> Result<S3Config, String> {
    effective_in("default", arguments, env)
}

fn effective_in(workspace: &str, arguments: Pairs<'_>, env: Pairs<'_>) -> Result<S3Config, String> {
    let mut all = map(&[("bucket", "b"), ("key", "k"), ("region", "eu-west-1")]);
    all.extend(map(arguments));
    let env = map(env);
    S3Config::effective(&all, workspace, &|name| env.get(name).cloned()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(arguments: Pairs<'_>, env: Pairs<'_>, naming: &str) {
    let error = effective(arguments, env).expect_err(naming);
    assert!(error.contains(naming), "`{naming}` is not in: {error}");
}

fn connection(arguments: Pairs<'_>, env: Pairs<'_>) -> Connection {
    effective(arguments, env).unwrap().connection
}

#[test]
fn a_state_is_one_object() {
    let table: &[(&str, Pairs<'_>, &str)] = &[
        ("default", &[], "k"),
        ("default", &[("key", "a/b.tfstate")], "a/b.tfstate"),
        ("default", &[("key", "a b/ü\"1\".tfstate")], "a b/ü\"1\".tfstate"),
        // Verbatim, where Go's path.Join does not come in.
        ("default", &[("key", "./a/../b")], "./a/../b"),
        ("default", &[("workspace_key_prefix", "w")], "k"),
        ("dev", &[("key", "a/b.tfstate")], "env:/dev/a/b.tfstate"),
        ("dev", &[("key", "./a/../b")], "env:/dev/b"),
        ("dev", &[("workspace_key_prefix", "w/x")], "w/x/dev/k"),
        ("dev", &[("workspace_key_prefix", "")], "dev/k"),
        ("a@b:c", &[], "env:/a@b:c/k"),
    ];
    for (workspace, arguments, path) in table {
        let config = effective_in(workspace, arguments, &[]).unwrap();
        assert_eq!(config.path, *path, "{workspace} {arguments:?}");
        assert_eq!(config.lock_id(), format!("b/{path}"));
    }
    for (name, value) in [
        ("key", "/k"),
        ("key", "k/"),
        ("key", "a//k"),
        ("workspace_key_prefix", "/w"),
        ("workspace_key_prefix", "w/"),
        ("bucket", ""),
        ("key", ""),
    ] {
        refused(&[(name, value)], &[], &format!("`{name}`"));
    }
    for workspace in ["a/b", "..", "ä", ""] {
        assert!(effective_in(workspace, &[], &[]).is_err(), "{workspace}");
    }
}

#[test]
fn an_unknown_argument_is_named() {
    for name in [
        "buckett",
        "assume_role.rolearn",
        "endpoints.ec2",
        "endpoints",
        "tags.a",
        "assume_role",
        "path",
    ] {
        refused(&[(name, "x")], &[], &format!("`{name}` is not an argument of it"));
    }
    // Known, and without any effect on us.
    for name in [
        "skip_credentials_validation",
        "skip_requesting_account_id",
        "skip_region_validation",
        "skip_metadata_api_check",
        "use_legacy_workflow",
    ] {
        assert!(effective(&[(name, "true")], &[]).is_ok(), "{name}");
    }
    refused(&[("encrypt", "yes")], &[], "`encrypt` must be `true` or `false`");
    refused(&[("max_retries", "-1")], &[], "`max_retries`");
    refused(&[("retry_mode", "wild")], &[], "`retry_mode`");
    refused(&[("allowed_account_ids", "[1")], &[], "`allowed_account_ids`");
}

#[test]
fn the_region_comes_from_the_argument_or_the_environment() {
    let region = |arguments: Pairs<'_>, env: Pairs<'_>| {
        effective(arguments, env).map(|config| config.connection.region)
    };
    let both: Pairs<'_> = &[("AWS_REGION", "r"), ("AWS_DEFAULT_REGION", "d")];
    assert_eq!(region(&[], both).unwrap(), "eu-west-1");
    assert_eq!(region(&[("region", "")], both).unwrap(), "r");
    assert_eq!(region(&[("region", "")], &both[1..]).unwrap(), "d");
    refused(&[("region", "")], &[("AWS_REGION", "")], "`region`");
}

#[test]
fn locks_are_what_is_asked_for() {
    let locks = |arguments: Pairs<'_>| {
        let config = effective(arguments, &[]).unwrap();
        (config.lock_table, config.lock_file)
    };
    assert_eq!(locks(&[]), (None, false));
    assert_eq!(locks(&[("dynamodb_table", "t")]), (Some("t".to_owned()), false));
    assert_eq!(locks(&[("use_lockfile", "true")]), (None, true));
    assert_eq!(
        locks(&[("dynamodb_table", "t"), ("use_lockfile", "1")]),
        (Some("t".to_owned()), true)
    );
    assert_eq!(
        locks(&[("dynamodb_table", ""), ("use_lockfile", "false")]),
        (None, false)
    );
}

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn encryption_and_its_traps() {
    let encrypted = |arguments: Pairs<'_>, env: Pairs<'_>| {
        let config = effective(arguments, env).unwrap();
        let warnings = config.warnings().len();
        (config.encryption, warnings)
    };
    let on = ("encrypt", "true");
    let customer = || Encryption::CustomerKey(Secret::new(KEY));
    let from_env: Pairs<'_> = &[("AWS_SSE_CUSTOMER_KEY", KEY)];
    assert_eq!(encrypted(&[], &[]), (Encryption::BucketDefault, 0));
    assert_eq!(encrypted(&[on], &[]), (Encryption::Aes256, 0));
    assert_eq!(
        encrypted(&[on, ("kms_key_id", "alias/k")], &[]),
        (Encryption::Kms("alias/k".to_owned()), 0)
    );
    assert_eq!(encrypted(&[on, ("sse_customer_key", KEY)], &[]), (customer(), 0));
    assert_eq!(encrypted(&[on], from_env), (customer(), 0));
    assert_eq!(
        encrypted(&[("kms_key_id", "k")], &[]),
        (Encryption::BucketDefault, 1)
    );
    assert_eq!(encrypted(&[], from_env), (Encryption::BucketDefault, 1));
    let warned = effective(&[("kms_key_id", "k")], &[]).unwrap();
    assert!(warned.warnings()[0].contains("`kms_key_id` is ignored without `encrypt = true`"));

    refused(
        &[on, ("kms_key_id", "k"), ("sse_customer_key", KEY)],
        &[],
        "`sse_customer_key` exclude each other",
    );
    refused(
        &[("kms_key_id", "k")],
        from_env,
        "AWS_SSE_CUSTOMER_KEY exclude each other",
    );
    let error = effective(&[on, ("sse_customer_key", "hunter2")], &[]).unwrap_err();
    assert!(
        error.contains("`sse_customer_key`") && !error.contains("hunter2"),
        "{error}"
    );
}

#[test]
fn no_credential_shows_itself() {
    let config = effective(
        &[
            ("access_key", "A"),
            ("secret_key", "hunter2"),
            ("token", "hunter2"),
            ("encrypt", "true"),
            ("sse_customer_key", KEY),
            ("http_proxy", "http://me:hunter2@proxy"),
        ],
        &[],
    );
    let shown = format!("{:?}", config.unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains(KEY), "{shown}");
}
