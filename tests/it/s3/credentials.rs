//! Where credentials come from, judged by what the emulator lets us see.

use std::fs;

use stackcut::backend::s3::S3Backend;
use stackcut::backend::{BackendError, StateBackend};

use super::lab::{FILE_LOCK, Lab, TABLE_LOCK};

const NOWHERE: [(&str, &str); 5] = [
    ("AWS_REGION", "eu-central-1"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("HOME", "/nonexistent"),
];

/// Opens the state `k` with credentials from these arguments and this environment alone.
fn open(lab: &Lab, arguments: &[(&str, &str)], env: &[(&str, &str)]) -> S3Backend {
    let endpoint = lab.aws.endpoint();
    let mut all = NOWHERE.to_vec();
    all.extend_from_slice(env);
    all.push(("AWS_ENDPOINT_URL", &endpoint));
    let config = lab.config_from("default", "k", arguments, &all);
    lab.open_as(config)
}

/// Tells whether a read is made as this test's account.
fn reads_as_the_account(lab: &Lab, state: &S3Backend) -> bool {
    lab.aws.put_object(&lab.bucket, "k", b"{}");
    let requests = lab.requests_of(|| assert!(state.read().unwrap().bytes().is_some()));
    requests.iter().any(|line| line.starts_with("s3 "))
}

#[test]
fn keys_from_arguments_and_environment() {
    let lab = Lab::new();
    let id = lab.aws.id();
    let given = [("access_key", id), ("secret_key", "x")];
    let other = [
        ("AWS_ACCESS_KEY_ID", "999999999999"),
        ("AWS_SECRET_ACCESS_KEY", "y"),
    ];
    assert!(reads_as_the_account(&lab, &open(&lab, &given, &other)));
    assert!(!reads_as_the_account(&lab, &open(&lab, &[], &other)));
    let env = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", "y")];
    assert!(reads_as_the_account(&lab, &open(&lab, &[], &env)));
}

#[test]
fn profiles_from_shared_files() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("credentials");
    let text = format!(
        "[default]\naws_access_key_id = 999999999999\naws_secret_access_key = x\n\n[mine]\naws_access_key_id = {}\naws_secret_access_key = x\n",
        lab.aws.id()
    );
    fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let as_list = format!("[\"{path}\"]");
    let other = [
        ("AWS_ACCESS_KEY_ID", "999999999999"),
        ("AWS_SECRET_ACCESS_KEY", "y"),
    ];
    let named = [
        ("profile", "mine"),
        ("shared_credentials_files", as_list.as_str()),
    ];
    assert!(
        reads_as_the_account(&lab, &open(&lab, &named, &other)),
        "a profile that is asked for wins"
    );
    let old = [("profile", "mine"), ("shared_credentials_file", path)];
    assert!(reads_as_the_account(&lab, &open(&lab, &old, &[])));
    let env = [("AWS_SHARED_CREDENTIALS_FILE", path), ("AWS_PROFILE", "mine")];
    assert!(reads_as_the_account(&lab, &open(&lab, &[], &env)));
    assert!(!reads_as_the_account(&lab, &open(&lab, &[], &env[..1])));
    let missing = [("profile", "nobody"), ("shared_credentials_file", path)];
    let error = open(&lab, &missing, &[]).read().unwrap_err();
    assert!(matches!(error, BackendError::Configuration { .. }), "{error:?}");
    assert!(error.to_string().contains("credentials"), "{error}");
}

#[test]
fn no_credentials_is_said_plainly() {
    let lab = Lab::new();
    let error = open(&lab, FILE_LOCK, &[]).read().unwrap_err();
    assert!(error.to_string().contains("no credentials were found"), "{error}");
}

#[test]
fn roles_are_taken_with_everything_that_was_asked_for() {
    let lab = Lab::new();
    let arn = format!("arn:aws:iam::{}:role/states", lab.aws.id());
    let role = [
        ("access_key", lab.aws.id()),
        ("secret_key", "x"),
        ("assume_role.role_arn", arn.as_str()),
        ("assume_role.external_id", "e"),
        ("assume_role.session_name", "cutting"),
        ("assume_role.duration", "1h"),
        (
            "assume_role.policy",
            "{\"Version\":\"2012-10-17\",\"Statement\":[]}",
        ),
        (
            "assume_role.policy_arns",
            "[\"arn:aws:iam::aws:policy/ReadOnlyAccess\"]",
        ),
        ("assume_role.tags.team", "shop"),
        ("assume_role.transitive_tag_keys", "[\"team\"]"),
        ("assume_role.source_identity", "me"),
    ];
    let state = open(&lab, &role, &[]);
    assert!(
        !reads_as_the_account(&lab, &state),
        "the role's own keys are used"
    );
    state.read().unwrap();
    let details = lab.aws.details();
    let taken: Vec<_> = details.iter().filter(|line| line["service"] == "sts").collect();
    assert_eq!(taken.len(), 1, "one session serves all calls and both services");
    let body = &taken[0]["body"];
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("RoleArn", &arn),
        ("ExternalId", "e"),
        ("RoleSessionName", "cutting"),
        ("DurationSeconds", "3600"),
        ("Policy", role[6].1),
        (
            "PolicyArns.member.1.arn",
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
        ),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "shop"),
        ("TransitiveTagKeys.member.1", "team"),
        ("SourceIdentity", "me"),
    ] {
        assert_eq!(body[name], *value, "{name} in {body}");
    }
}

#[test]
fn a_web_identity_is_enough() {
    let lab = Lab::new();
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    fs::write(&token, "hunter2\n").unwrap();
    let arn = format!("arn:aws:iam::{}:role/states", lab.aws.id());
    let env = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", arn.as_str()),
    ];
    assert!(!reads_as_the_account(&lab, &open(&lab, &[], &env)));
    let given = [
        ("assume_role_with_web_identity.role_arn", arn.as_str()),
        ("assume_role_with_web_identity.web_identity_token", "hunter2"),
    ];
    assert!(!reads_as_the_account(&lab, &open(&lab, &given, &[])));
    fs::remove_file(&token).unwrap();
    let again = [&env[..], &[("AWS_ROLE_SESSION_NAME", "another")]].concat();
    let error = open(&lab, &[], &again).read().unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[test]
fn accounts_can_be_kept_out() {
    let lab = Lab::new();
    let id = lab.aws.id();
    let env = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", "x")];
    let config = |arguments: &[(&str, &str)]| {
        let endpoint = lab.aws.endpoint();
        let mut all = [&NOWHERE[..], &env].concat();
        all.push(("AWS_ENDPOINT_URL", &endpoint));
        let config = lab.config_from("default", "k", arguments, &all);
        lab.clients.open(config).map(drop)
    };
    let (only, but) = (format!("[\"{id}\"]"), "[\"999999999999\"]");
    config(&[("allowed_account_ids", &only)]).unwrap();
    config(&[("forbidden_account_ids", but)]).unwrap();
    for (name, ids) in [
        ("allowed_account_ids", but),
        ("forbidden_account_ids", only.as_str()),
    ] {
        let error = config(&[(name, ids)]).unwrap_err();
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
    }
}

#[test]
fn states_of_one_connection_share_it() {
    let lab = Lab::new();
    let arn = format!("arn:aws:iam::{}:role/states", lab.aws.id());
    let role = [
        ("access_key", lab.aws.id()),
        ("secret_key", "x"),
        ("assume_role.role_arn", arn.as_str()),
    ];
    let endpoint = lab.aws.endpoint();
    let env = [&NOWHERE[..], &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
    for number in 0..20 {
        let arguments = if number % 2 == 0 { &[][..] } else { TABLE_LOCK };
        let config = lab.config_from(
            "default",
            &format!("k{number}"),
            &[&role[..], arguments].concat(),
            &env,
        );
        // The table is in the account, the role's keys may be of another: only the session counts here.
        let _ = lab.open_as(config).read();
    }
    let sessions = lab.aws.requests();
    let sessions = sessions.iter().filter(|line| line.starts_with("sts "));
    assert_eq!(sessions.count(), 1);
}
