//! The Terraform modules that write and read contracts. They are ours; `emit` puts them into the stacks that call them.

/// One of the modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContractModule {
    /// One document in one SSM parameter.
    SsmStore,
    /// All documents below an SSM path that fit a pattern.
    SsmRegex,
    /// One document in one S3 object.
    S3Store,
    /// All documents below an S3 prefix that fit a pattern.
    S3Regex,
}

/// The first version of the AWS provider that calls S3 objects `aws_s3_object`.
const S3_OBJECT_SINCE: u64 = 4;

impl ContractModule {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SsmStore, Self::SsmRegex, Self::S3Store, Self::S3Regex];

    /// The first version (major, minor) of the AWS provider that [`Self::SsmRegex`] works with: older ones list no
    /// parameters.
    pub const SSM_LISTS_SINCE: (u64, u64) = (4, 45);

    /// Returns the name, which is also that of its directory.
    pub fn name(self) -> &'static str {
        match self {
            Self::SsmStore => "ssm_json_store",
            Self::SsmRegex => "ssm_json_regex",
            Self::S3Store => "s3_json_store",
            Self::S3Regex => "s3_json_regex",
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::SsmStore => include_str!("modules/ssm_json_store/main.tf"),
            Self::SsmRegex => include_str!("modules/ssm_json_regex/main.tf"),
            Self::S3Store => include_str!("modules/s3_json_store/main.tf"),
            Self::S3Regex => include_str!("modules/s3_json_regex/main.tf"),
        }
    }

    /// Returns the text of its `main.tf` for a major version of the AWS provider; none is the newest.
    pub fn text(self, aws_major: Option<u64>) -> String {
        let source = self.source();
        match (self, aws_major) {
            (Self::S3Store | Self::S3Regex, Some(major)) if major < S3_OBJECT_SINCE => source
                .replace("aws_s3_object", "aws_s3_bucket_object")
                .replace("version = \">= 4.0\"", "version = \">= 3.0, < 4.0\""),
            _ => source.to_owned(),
        }
    }
}
