//! Objects printed as `terraform fmt` wants them.

use super::text;

/// An expression to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doc {
    /// A text on one line.
    Text(String),
    /// An object; members in the given order.
    Object(Vec<(String, Self)>),
}

impl Doc {
    /// Adds a value at a path of members, keeping members sorted.
    pub fn insert(&mut self, path: &[String], value: Self) {
        let Self::Object(members) = self else {
            *self = Self::Object(Vec::new());
            self.insert(path, value);
            return;
        };
        let Some((first, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        let at = match members.binary_search_by(|(name, _)| name.cmp(first)) {
            Ok(at) => at,
            Err(at) => {
                members.insert(at, (first.clone(), Self::Object(Vec::new())));
                at
            }
        };
        members[at].1.insert(rest, value);
    }

    /// Prints the expression at an indentation; the columns of `=` are not yet aligned.
    pub fn print(&self, indent: usize) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Object(members) if members.is_empty() => "{}".to_owned(),
            Self::Object(members) => {
                let mut out = String::from("{\n");
                let inner = " ".repeat(indent + 2);
                for (name, value) in members {
                    out.push_str(&format!(
                        "{inner}{} = {}\n",
                        text::member(name),
                        value.print(indent + 2)
                    ));
                }
                out.push_str(&" ".repeat(indent));
                out.push('}');
                out
            }
        }
    }
}
