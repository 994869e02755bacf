//! Which object a state is.

use super::arguments::Arguments;
use super::refuse;
use crate::backend::BackendError;
use crate::backend::local::is_workspace_name;
use crate::stack::clean_path;

/// The object of one workspace.
pub(super) struct Place {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) prefix: String,
    pub(super) path: String,
}

impl Place {
    /// Returns the object's place; refuses what Terraform refuses.
    pub(super) fn of(given: &Arguments<'_>, workspace: &str) -> Result<Self, BackendError> {
        let required = |name: &str| {
            given
                .text(name)
                .ok_or_else(|| refuse(format!("`{name}` is missing")))
        };
        let bucket = required("bucket")?;
        let key = required("key")?;
        let prefix = given.raw("workspace_key_prefix").unwrap_or("env:").to_owned();
        for (name, value) in [("key", &key), ("workspace_key_prefix", &prefix)] {
            if value.starts_with('/') || value.ends_with('/') {
                return Err(refuse(format!(
                    "`{name}` must not start or end with `/`: `{value}`"
                )));
            }
            if name == "key" && value.contains("//") {
                return Err(refuse(format!("`{name}` must not contain `//`: `{value}`")));
            }
        }
        let path = if workspace == "default" {
            key.clone()
        } else if is_workspace_name(workspace) {
            clean_path(&format!("{prefix}/{workspace}/{key}"))
        } else {
            return Err(refuse(format!("`{workspace}` is not a workspace name")));
        };
        if path.len() > 1024 {
            return Err(refuse("the object's key is longer than 1024 bytes"));
        }
        Ok(Self {
            bucket,
            key,
            prefix,
            path,
        })
    }
}
