//! What the arguments and the environment come to, by table.

use std::collections::BTreeMap;
use std::time::Duration;

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
fn endpoints_in_their_order() {
    let all: Vec<(&str, &str)> = vec![
        ("AWS_ENDPOINT_URL_S3", "http://1"),
        ("AWS_S3_ENDPOINT", "http://2"),
        ("AWS_ENDPOINT_URL", "http://3"),
    ];
    let s3 = |arguments: Pairs<'_>, env: Pairs<'_>| connection(arguments, env).endpoints.s3;
    assert_eq!(
        s3(&[("endpoints.s3", "http://a"), ("endpoint", "http://b")], &all).as_deref(),
        Some("http://a")
    );
    assert_eq!(s3(&[("endpoint", "http://b")], &all).as_deref(), Some("http://b"));
    for (at, expected) in ["http://1", "http://2", "http://3"].iter().enumerate() {
        assert_eq!(s3(&[], &all[at..]).as_deref(), Some(*expected));
    }
    assert_eq!(s3(&[], &[]), None);
    let ignored = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), all[2]];
    assert_eq!(s3(&[], &ignored), None);

    let found = connection(
        &[("dynamodb_endpoint", "http://d"), ("endpoints.sts", "https://s")],
        &[
            ("AWS_DYNAMODB_ENDPOINT", "http://x"),
            ("AWS_STS_ENDPOINT", "http://y"),
        ],
    );
    assert_eq!(found.endpoints.dynamodb.as_deref(), Some("http://d"));
    assert_eq!(found.endpoints.sts.as_deref(), Some("https://s"));
    let found = connection(
        &[],
        &[
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://d"),
            ("AWS_STS_ENDPOINT", "http://s"),
            ("AWS_METADATA_URL", "http://m"),
        ],
    );
    assert_eq!(found.endpoints.dynamodb.as_deref(), Some("http://d"));
    assert_eq!(found.endpoints.sts.as_deref(), Some("http://s"));
    assert_eq!(found.endpoints.metadata.as_deref(), Some("http://m"));
    refused(
        &[("endpoints.s3", "localhost:9000")],
        &[],
        "`endpoints.s3` must be a URL",
    );
    refused(
        &[],
        &[("AWS_S3_ENDPOINT", "minio")],
        "`AWS_S3_ENDPOINT` must be a URL",
    );
    for name in ["endpoints.iam", "endpoints.sso", "iam_endpoint"] {
        assert!(effective(&[(name, "http://x")], &[]).is_ok(), "{name}");
    }
}

#[test]
fn transport_settings() {
    let plain = connection(&[], &[]);
    assert!(!plain.path_style && !plain.fips && !plain.dual_stack && !plain.insecure);
    assert!(plain.validate_responses && !plain.checksums_when_required);
    for name in ["use_path_style", "force_path_style"] {
        assert!(connection(&[(name, "true")], &[]).path_style, "{name}");
    }
    assert!(connection(&[("use_fips_endpoint", "true")], &[]).fips);
    assert!(connection(&[], &[("AWS_USE_FIPS_ENDPOINT", "TRUE")]).fips);
    assert!(
        !connection(
            &[("use_fips_endpoint", "false")],
            &[("AWS_USE_FIPS_ENDPOINT", "true")]
        )
        .fips
    );
    assert!(connection(&[], &[("AWS_USE_DUALSTACK_ENDPOINT", "true")]).dual_stack);
    assert!(connection(&[("insecure", "true")], &[]).insecure);
    assert_eq!(connection(&[("max_retries", "9")], &[]).read_retries, Some(9));
    assert!(connection(&[], &[("AWS_RETRY_MODE", "adaptive")]).adaptive_retries);
    assert!(!connection(&[("retry_mode", "standard")], &[("AWS_RETRY_MODE", "adaptive")]).adaptive_retries);
    assert_eq!(
        connection(&[], &[("AWS_CA_BUNDLE", "/ca.pem")])
            .ca_bundle
            .as_deref(),
        Some("/ca.pem")
    );
    let skipping = effective(&[("skip_s3_checksum", "true")], &[]).unwrap();
    assert!(!skipping.checksum && skipping.connection.checksums_when_required);
    let sparing = [
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required"),
        ("AWS_RESPONSE_CHECKSUM_VALIDATION", "WHEN_REQUIRED"),
    ];
    let sparing = effective(&[], &sparing).unwrap();
    assert!(sparing.connection.checksums_when_required && !sparing.connection.validate_responses);
    assert!(sparing.checksum, "Terraform sends its SHA-256 all the same");

    let proxies = |arguments: Pairs<'_>, env: Pairs<'_>| {
        let found = connection(arguments, env).proxies;
        let text = |proxy: Option<Secret>| proxy.map(|proxy| proxy.reveal().to_owned()).unwrap_or_default();
        (
            text(found.http),
            text(found.https),
            found.none_for.unwrap_or_default(),
        )
    };
    let texts = |http: &str, https: &str, none: &str| (http.to_owned(), https.to_owned(), none.to_owned());
    assert_eq!(
        proxies(&[("http_proxy", "http://p")], &[("NO_PROXY", "x")]),
        texts("http://p", "http://p", "x")
    );
    assert_eq!(
        proxies(&[], &[("HTTP_PROXY", "http://p")]),
        texts("http://p", "", "")
    );
    assert_eq!(
        proxies(
            &[("https_proxy", "http://a"), ("no_proxy", "y")],
            &[("https_proxy", "http://b")]
        ),
        texts("", "http://a", "y")
    );
}

fn keys(id: &str, secret: &str, token: Option<&str>) -> CredentialSource {
    CredentialSource::Keys {
        id: id.to_owned(),
        secret: Secret::new(secret),
        token: token.map(Secret::new),
    }
}

#[test]
fn credentials_in_their_order() {
    let source = |arguments: Pairs<'_>, env: Pairs<'_>| connection(arguments, env).credentials;
    let in_env: Pairs<'_> = &[
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "es"),
        ("AWS_SESSION_TOKEN", "et"),
        ("AWS_PROFILE", "p"),
    ];
    let given: Pairs<'_> = &[("access_key", "A"), ("secret_key", "as"), ("token", "at")];
    assert_eq!(source(given, in_env), keys("A", "as", Some("at")));
    assert_eq!(
        source(&given[..2], in_env),
        keys("A", "as", None),
        "a token belongs to its keys"
    );
    assert_eq!(source(&[], in_env), keys("E", "es", Some("et")));
    let named = source(&[("profile", "q")], in_env);
    assert!(
        matches!(&named, CredentialSource::Shared { profile: Some(name), only_profile: true, .. } if name == "q"),
        "a profile that is asked for wins over keys in the environment: {named:?}"
    );
    let web = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
        ("AWS_ROLE_ARN", "arn:r"),
        ("AWS_ROLE_SESSION_NAME", "s"),
    ];
    assert!(matches!(source(&[], &web), CredentialSource::WebIdentity(_)));
    refused(&[("access_key", "A")], &[], "without `secret_key`");
    refused(&[("secret_key", "A")], &[], "without `access_key`");

    let files: Pairs<'_> = &[
        ("shared_config_files", r#"["/a","/b"]"#),
        ("shared_credentials_files", r#"["/c"]"#),
        ("shared_credentials_file", "/d"),
        ("skip_metadata_api_check", "true"),
    ];
    let env: Pairs<'_> = &[
        ("AWS_CONFIG_FILE", "/e"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/f"),
        ("AWS_PROFILE", "p"),
    ];
    let texts = |paths: &[&str]| -> Vec<String> { paths.iter().map(|path| (*path).to_owned()).collect() };
    let shared = |config: &[&str], credentials: &[&str], metadata| CredentialSource::Shared {
        profile: Some("p".to_owned()),
        only_profile: false,
        config_files: texts(config),
        credentials_files: texts(credentials),
        metadata,
    };
    assert_eq!(source(files, env), shared(&["/a", "/b"], &["/c", "/d"], false));
    assert_eq!(source(&[], env), shared(&["/e"], &["/f"], true));
}

#[test]
fn roles_new_and_old() {
    let role = |arguments: Pairs<'_>| connection(arguments, &[]).role;
    assert_eq!(role(&[]), None);
    let whole = role(&[
        ("assume_role.role_arn", "arn:r"),
        ("assume_role.external_id", "x"),
        ("assume_role.session_name", "s"),
        ("assume_role.duration", "1h30m"),
        ("assume_role.policy", "{}"),
        ("assume_role.policy_arns", r#"["p1","p2"]"#),
        ("assume_role.tags.team", "a"),
        ("assume_role.tags.a.b", "c"),
        ("assume_role.transitive_tag_keys", r#"["team"]"#),
        ("assume_role.source_identity", "me"),
        ("role_arn", "arn:old"),
    ]);
    let expected = AssumeRole {
        arn: "arn:r".to_owned(),
        external_id: Some("x".to_owned()),
        session_name: Some("s".to_owned()),
        duration: Some(Duration::from_secs(5400)),
        policy: Some("{}".to_owned()),
        policy_arns: vec!["p1".to_owned(), "p2".to_owned()],
        tags: map(&[("team", "a"), ("a.b", "c")]),
        transitive_tags: vec!["team".to_owned()],
        source_identity: Some("me".to_owned()),
    };
    assert_eq!(whole, Some(expected));
    let old = role(&[
        ("role_arn", "arn:old"),
        ("external_id", "x"),
        ("session_name", "s"),
        ("assume_role_duration_seconds", "900"),
        ("assume_role_policy", "{}"),
        ("assume_role_policy_arns", r#"["p"]"#),
        ("assume_role_tags.team", "a"),
        ("assume_role_transitive_tag_keys", r#"["team"]"#),
    ]);
    let expected = AssumeRole {
        arn: "arn:old".to_owned(),
        external_id: Some("x".to_owned()),
        session_name: Some("s".to_owned()),
        duration: Some(Duration::from_secs(900)),
        policy: Some("{}".to_owned()),
        policy_arns: vec!["p".to_owned()],
        tags: map(&[("team", "a")]),
        transitive_tags: vec!["team".to_owned()],
        source_identity: None,
    };
    assert_eq!(old, Some(expected));
    refused(&[("assume_role.external_id", "x")], &[], "`assume_role.role_arn`");
    for wrong in [
        "1",
        "h",
        "1x",
        "-1h",
        "0s",
        "99999999999999999999h",
        "9999999999999999h",
    ] {
        let arguments = [("assume_role.role_arn", "r"), ("assume_role.duration", wrong)];
        refused(&arguments, &[], "`assume_role.duration`");
    }
}

#[test]
fn web_identities() {
    let name = |member: &str| format!("assume_role_with_web_identity.{member}");
    let found = |arguments: &[(&str, &str)], env| {
        let named: Vec<(String, &str)> = arguments
            .iter()
            .map(|(member, value)| (name(member), *value))
            .collect();
        let named: Vec<(&str, &str)> = named
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        effective(&named, env).map(|config| match config.connection.credentials {
            CredentialSource::WebIdentity(identity) => identity,
            other => panic!("{other:?}"),
        })
    };
    let env: Pairs<'_> = &[
        ("AWS_ROLE_ARN", "arn:env"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/env"),
        ("AWS_ROLE_SESSION_NAME", "env"),
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "es"),
    ];
    let whole = found(
        &[
            ("role_arn", "arn:r"),
            ("session_name", "s"),
            ("web_identity_token", "hunter2"),
        ],
        env,
    )
    .unwrap();
    assert_eq!(
        (whole.role.arn.as_str(), whole.role.session_name.as_deref()),
        ("arn:r", Some("s"))
    );
    assert_eq!(whole.token, Token::Text(Secret::new("hunter2")));
    assert!(!format!("{whole:?}").contains("hunter2"));
    let rest = found(&[("duration", "15m")], env).unwrap();
    assert_eq!(
        (rest.role.arn.as_str(), rest.role.session_name.as_deref()),
        ("arn:env", Some("env"))
    );
    assert_eq!(rest.token, Token::File("/env".to_owned()));
    assert!(
        found(&[("role_arn", "r")], &[])
            .unwrap_err()
            .contains("has no token")
    );
    assert!(
        found(&[("duration", "1h")], &[])
            .unwrap_err()
            .contains("role_arn")
    );
    let twice = [
        ("role_arn", "r"),
        ("web_identity_token", "t"),
        ("web_identity_token_file", "f"),
    ];
    assert!(
        found(&twice, &[])
            .unwrap_err()
            .contains("web_identity_token_file")
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
