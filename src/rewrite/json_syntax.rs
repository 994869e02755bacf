//! Files in JSON syntax: members taken out, texts spliced, everything else as it was.

use super::splice::{Edit, Kept, apply};
use crate::json::{self, Node, Value};

/// Puts a JSON file together; none where nothing of it is kept.
pub(super) fn assemble(text: &str, pieces: &[Kept]) -> Option<String> {
    if pieces.iter().all(|piece| piece.edits.is_none()) {
        return None;
    }
    let mut edits: Vec<Edit> = Vec::new();
    let mut gone: Vec<std::ops::Range<usize>> = Vec::new();
    for piece in pieces {
        match &piece.edits {
            None => gone.push(piece.full.clone()),
            Some(list) => {
                for edit in list {
                    // An empty text in JSON syntax takes a member out.
                    match edit.text.is_empty() && !edit.span.is_empty() {
                        true => gone.push(edit.span.clone()),
                        false => edits.push(edit.clone()),
                    }
                }
            }
        }
    }
    let blanked = text.strip_prefix('\u{feff}').map(|rest| format!("   {rest}"));
    let root = json::parse(blanked.as_deref().unwrap_or(text)).ok()?;
    let inner = write(text, &root, &gone, &edits)?;
    Some(format!(
        "{}{inner}{}",
        &text[..root.span.start],
        &text[root.span.end..]
    ))
}

/// Writes a value without what is gone; none where nothing is left of it that was there before.
fn write(text: &str, node: &Node, gone: &[std::ops::Range<usize>], edits: &[Edit]) -> Option<String> {
    let touches = gone
        .iter()
        .any(|span| node.span.start <= span.start && span.end <= node.span.end);
    if !touches {
        return Some(apply(text, &node.span, edits));
    }
    if gone.contains(&node.span) {
        return None;
    }
    let children: Vec<(std::ops::Range<usize>, &Node)> = match &node.value {
        Value::Object(members) => members
            .iter()
            .map(|member| (member.key_span.start..member.value.span.end, &member.value))
            .collect(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| (element.span.clone(), element))
            .collect(),
        _ => return Some(apply(text, &node.span, edits)),
    };
    let mut kept: Vec<(usize, String)> = Vec::new();
    for (at, (span, value)) in children.iter().enumerate() {
        if gone.contains(span) {
            continue;
        }
        if let Some(inner) = write(text, value, gone, edits) {
            let head = apply(text, &(span.start..value.span.start), edits);
            kept.push((at, format!("{head}{inner}")));
        }
    }
    if kept.is_empty() {
        return None;
    }
    let mut out = text[node.span.start..children[0].0.start].to_owned();
    for (number, (at, child)) in kept.iter().enumerate() {
        if number > 0 {
            out.push_str(&text[children[at - 1].0.end..children[*at].0.start]);
        }
        out.push_str(child);
    }
    out.push_str(&text[children[children.len() - 1].0.end..node.span.end]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_members_out() {
        let text = r#"{
  "resource": {
    "a": {"x": {"v": 1}, "y": {"v": 2}},
    "b": {"z": {"v": 3}}
  },
  "output": {"o": {"value": "${a.x}"}}
}
"#;
        let span = |part: &str| {
            let at = text.find(part).unwrap();
            at..at + part.len()
        };
        let kept = |part: &str, edits: Option<Vec<Edit>>| Kept {
            full: span(part),
            edits,
        };
        let found = assemble(
            text,
            &[
                kept(r#""x": {"v": 1}"#, None),
                kept(r#""y": {"v": 2}"#, Some(Vec::new())),
                kept(r#""z": {"v": 3}"#, None),
                kept(
                    r#""o": {"value": "${a.x}"}"#,
                    Some(vec![Edit::new(span("a.x"), "local.a.x")]),
                ),
            ],
        );
        let expected = r#"{
  "resource": {
    "a": {"y": {"v": 2}}
  },
  "output": {"o": {"value": "${local.a.x}"}}
}
"#;
        assert_eq!(found.as_deref(), Some(expected));
    }
}
