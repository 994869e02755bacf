//! The names of backend arguments, as Terraform and OpenTofu know them.

/// Arguments that hold credentials, by the last part of their names.
pub(in crate::plan) const CREDENTIALS: [&str; 7] = [
    "access_key",
    "secret_key",
    "token",
    "session_token",
    "sse_customer_key",
    "web_identity_token",
    "password",
];

/// Arguments of the local backend.
pub(super) const LOCAL: [&str; 2] = ["path", "workspace_dir"];

/// Arguments of the S3 backend, the removed and the deprecated ones too: states made with them still exist.
pub(super) const S3: [&str; 53] = [
    "bucket",
    "key",
    "region",
    "workspace_key_prefix",
    "dynamodb_table",
    "use_lockfile",
    "encrypt",
    "kms_key_id",
    "acl",
    "profile",
    "shared_config_files",
    "shared_credentials_files",
    "shared_credentials_file",
    "allowed_account_ids",
    "forbidden_account_ids",
    "sts_region",
    "sts_endpoint",
    "endpoint",
    "dynamodb_endpoint",
    "iam_endpoint",
    "use_path_style",
    "force_path_style",
    "custom_ca_bundle",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "insecure",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "max_retries",
    "retry_mode",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "skip_credentials_validation",
    "skip_requesting_account_id",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_s3_checksum",
    "role_arn",
    "session_name",
    "external_id",
    "assume_role_duration_seconds",
    "assume_role_policy",
    "assume_role_policy_arns",
    "assume_role_tags",
    "assume_role_transitive_tag_keys",
    // Credentials: known, so that they are refused by name and not as a typing mistake.
    "access_key",
    "secret_key",
    "token",
    "session_token",
    "sse_customer_key",
    "password",
    "web_identity_token",
];

/// Its nested objects and their members.
pub(super) const NESTED: [(&str, &[&str]); 3] = [
    (
        "assume_role",
        &[
            "role_arn",
            "duration",
            "external_id",
            "policy",
            "policy_arns",
            "session_name",
            "source_identity",
            "tags",
            "transitive_tag_keys",
        ],
    ),
    (
        "assume_role_with_web_identity",
        &[
            "role_arn",
            "duration",
            "policy",
            "policy_arns",
            "session_name",
            "web_identity_token",
            "web_identity_token_file",
        ],
    ),
    ("endpoints", &["s3", "dynamodb", "iam", "sso", "sts"]),
];
