//! Strings: decoded as Go decodes them, written as Go's `encoding/json` writes them (HTML characters escaped).

/// Decodes the inside of a valid JSON string. Lone surrogates become U+FFFD, as in Go.
pub fn decode(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(slash) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..slash]);
        let code = rest.as_bytes().get(slash + 1).copied().unwrap_or(b'\\');
        rest = rest.get(slash + 2..).unwrap_or("");
        match code {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let unit = hex4(rest);
                rest = rest.get(4..).unwrap_or("");
                let low = rest.strip_prefix("\\u").map(hex4);
                let (found, used) = combine(unit, low);
                out.push(found);
                rest = &rest[used..];
            }
            other => out.push(char::from(other)),
        }
    }
    out.push_str(rest);
    out
}

fn hex4(text: &str) -> u32 {
    text.get(..4)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .unwrap_or(0xfffd)
}

/// Joins a UTF-16 unit with the one after it, if they are a pair; returns how many more bytes that took.
fn combine(unit: u32, next: Option<u32>) -> (char, usize) {
    if let (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) = (unit, next) {
        let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        return (char::from_u32(code).unwrap_or('\u{fffd}'), 6);
    }
    (char::from_u32(unit).unwrap_or('\u{fffd}'), 0)
}

/// Returns a text as a JSON string token, quotes included, as Go ≥ 1.22 writes it.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(text, &mut out);
    out
}

/// Appends a text as a JSON string token; see [`quote`].
pub fn quote_into(text: &str, out: &mut String) {
    out.push('"');
    for found in text.chars() {
        match found {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            control if control < ' ' => {
                const HEX: [char; 16] = [
                    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
                ];
                out.push_str("\\u00");
                out.push(HEX[control as usize >> 4]);
                out.push(HEX[control as usize & 15]);
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

/// Escapes the characters of a JSON text that Go escapes for HTML's sake; outside of strings there are none of them.
pub fn escape_html(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_go_does() {
        for (text, expected) in [
            ("", r#""""#),
            ("a/b", r#""a/b""#),
            ("<&>", r#""\u003c\u0026\u003e""#),
            ("\u{2028}\u{2029}", r#""\u2028\u2029""#),
            ("\n\r\t\u{8}\u{c}\u{1f}\u{0}", r#""\n\r\t\b\f\u001f\u0000""#),
            ("\u{7f}é💥\"\\", "\"\u{7f}é💥\\\"\\\\\""),
        ] {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn escapes_json_as_go_does() {
        assert_eq!(
            escape_html(r#"{"<a>":["&",1]}"#),
            r#"{"\u003ca\u003e":["\u0026",1]}"#
        );
    }

    #[test]
    fn decodes_what_it_writes_and_more() {
        for text in ["", "<a>&\u{2028}", "\u{0}\n\"\\/é💥\u{fffd}"] {
            let quoted = quote(text);
            assert_eq!(decode(&quoted[1..quoted.len() - 1]), text);
        }
        assert_eq!(decode(r"\ud83d\udca5\u00E9\/"), "💥é/");
        assert_eq!(decode(r"\ud83dx\udca5\ud83d\u0041"), "\u{fffd}x\u{fffd}\u{fffd}A");
    }
}
