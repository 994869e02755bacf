//! Names that say that a value is secret.

/// Parts of names that say what a value is.
const WORDS: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "private_key",
    "credential",
    "api_key",
    "access_key",
    "passphrase",
];
/// Endings of names of things that are no secrets themselves.
const HARMLESS: [&str; 12] = [
    "_arn", "_arns", "_id", "_ids", "_name", "_names", "_path", "_length", "_version", "_enabled", "_url",
    "_ttl",
];

/// Tells whether a name says that the value is secret.
pub fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word)) && !HARMLESS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_secrets_from_what_points_at_them() {
        for name in [
            "password",
            "db_password",
            "SecretKey_secret",
            "auth_token",
            "tls_private_key",
            "api_key",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in [
            "secret_arn",
            "password_length",
            "token_url",
            "kms_key_id",
            "key",
            "secret_name",
            "endpoint",
        ] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}
