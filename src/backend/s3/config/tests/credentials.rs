//! Credentials and roles.

use std::time::Duration;

use super::*;

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
