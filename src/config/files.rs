//! Which files of a directory are configuration, and in which order they are merged.

use std::collections::BTreeSet;

use super::Syntax;

/// Which program the root module is written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `.tofu` files count where there are any; providers without a source come from Terraform's registry.
    #[default]
    Auto,
    /// `.tofu` files are not configuration.
    Terraform,
    /// `.tofu` files hide `.tf` files of the same name; providers without a source come from OpenTofu's registry.
    OpenTofu,
}

impl Dialect {
    /// Returns the registry host of provider sources that name none.
    pub fn default_registry(self) -> &'static str {
        match self {
            Self::Auto | Self::Terraform => "registry.terraform.io",
            Self::OpenTofu => "registry.opentofu.org",
        }
    }
}

/// A file of a directory that is part of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub name: String,
    pub syntax: Syntax,
    pub is_override: bool,
}

/// Picks the configuration files: primaries first, then overrides, each in byte order (the order of merging).
pub(super) fn select(names: Vec<String>, dialect: Dialect) -> Vec<FileName> {
    let present: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut selected: Vec<FileName> = present
        .iter()
        .filter_map(|name| classify(name, &present, dialect))
        .collect();
    selected.sort_by(|a, b| (a.is_override, &a.name).cmp(&(b.is_override, &b.name)));
    selected
}

fn classify(name: &str, present: &BTreeSet<&str>, dialect: Dialect) -> Option<FileName> {
    let is_backup = name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
    if name.starts_with('.') || is_backup {
        return None;
    }
    let (base, syntax, twin) = if let Some(base) = name.strip_suffix(".tf") {
        (base, Syntax::Hcl, Some(format!("{base}.tofu")))
    } else if let Some(base) = name.strip_suffix(".tf.json") {
        (base, Syntax::Json, Some(format!("{base}.tofu.json")))
    } else if let Some(base) = name.strip_suffix(".tofu") {
        (base, Syntax::Hcl, None)
    } else if let Some(base) = name.strip_suffix(".tofu.json") {
        (base, Syntax::Json, None)
    } else {
        return None;
    };
    let reads_tofu = dialect != Dialect::Terraform;
    let counts = match &twin {
        Some(twin) => !(reads_tofu && present.contains(twin.as_str())),
        None => reads_tofu,
    };
    counts.then(|| FileName {
        name: name.to_owned(),
        syntax,
        is_override: base == "override" || base.ends_with("_override"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_files_in_merge_order() {
        let check = |names: &[&str], dialect, expected: &[&str]| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            let selected: Vec<String> = select(names, dialect).into_iter().map(|file| file.name).collect();
            assert_eq!(selected, expected);
        };
        let all = [
            "zz_override.tf",
            "main.tf",
            "A_override.tf",
            "_us_override.tf",
            "override.tf.json",
            ".hidden.tf",
            "main.tf~",
            "#main.tf#",
            "x.tftest.hcl",
            "x.tfvars",
            "b.tf.json",
            "main.tofu",
            "only.tofu.json",
            "b.tofu",
            "README.md",
        ];
        let overrides = [
            "A_override.tf",
            "_us_override.tf",
            "override.tf.json",
            "zz_override.tf",
        ];
        let auto = ["b.tf.json", "b.tofu", "main.tofu", "only.tofu.json"];
        check(&all, Dialect::Auto, &[auto.as_slice(), &overrides].concat());
        check(
            &all,
            Dialect::Terraform,
            &[["b.tf.json", "main.tf"].as_slice(), &overrides].concat(),
        );
    }
}
