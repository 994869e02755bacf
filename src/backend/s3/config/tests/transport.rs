//! Endpoints, proxies, and how requests are made.

use super::*;

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
