//! What is JSON, what is not, and where it stops being it.

use super::*;

fn skip(text: &str) -> Result<(), JsonError> {
    let mut scanner = Scanner::new(text);
    scanner.skip_value()?;
    scanner.finish()
}

#[test]
fn accepts_what_is_json() {
    for text in [
        "null",
        " true ",
        "false",
        "0",
        "-0",
        "-0.0e+10",
        "12345678901234567890.10",
        "1E5",
        "\"\"",
        "\"a\\u00e9\\/\\\"\"",
        "\"eight bytes and then some, é, 💥\u{7f}\"",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1,[2,{\"a\":[{}]}]]",
        "{\"a\" : 1 ,\r\n\t\"a\":2}",
        "\"\\ud800\"",
    ] {
        assert_eq!(skip(text), Ok(()), "{text}");
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
    }
}

#[test]
fn refuses_with_place_and_fault() {
    use JsonFault::*;
    for (text, at, fault) in [
        ("", 0, Truncated),
        ("  ", 2, Truncated),
        ("{", 1, Truncated),
        ("[1", 2, Truncated),
        ("{\"a\"", 4, Truncated),
        ("{\"a\":", 5, Truncated),
        ("\"abc", 4, Truncated),
        ("\"abc\\", 5, Truncated),
        ("\"abc\\u12", 8, Truncated),
        ("tru", 3, Truncated),
        ("-", 1, Truncated),
        ("trux", 0, ExpectedValue),
        ("[1,]", 3, ExpectedValue),
        ("{\"a\":1,}", 7, ExpectedKey),
        ("{a:1}", 1, ExpectedKey),
        ("{\"a\" 1}", 5, ExpectedColon),
        ("{\"a\":1 \"b\":2}", 7, ExpectedCommaOrBrace),
        ("[1 2]", 3, ExpectedCommaOrBracket),
        ("[1}", 2, ExpectedCommaOrBracket),
        ("{\"a\":1]", 6, ExpectedCommaOrBrace),
        ("\"a\\x\"", 2, BadEscape),
        ("\"\\u00g0\"", 1, BadEscape),
        ("\"a\nb\"", 2, ControlCharacter),
        ("\"0123456789\t\"", 11, ControlCharacter),
        ("01", 1, BadNumber),
        ("1.", 2, Truncated),
        ("1.x", 2, BadNumber),
        ("1ex", 2, BadNumber),
        ("+1", 0, ExpectedValue),
        ("null null", 5, TrailingText),
        ("'a'", 0, ExpectedValue),
        ("\u{a0}1", 0, ExpectedValue),
    ] {
        assert_eq!(skip(text), Err(JsonError { at, fault }), "{text}");
    }
}

#[test]
fn bounds_depth_without_recursion() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(skip(&deep(MAX_DEPTH)), Ok(()));
    assert_eq!(skip(&deep(MAX_DEPTH + 1)).unwrap_err().fault, JsonFault::TooDeep);
}

#[test]
fn pulls_structure() {
    let mut scanner = Scanner::new(r#" { "a\u0062" : [ 1 , "x" ] , "c" : {} } "#);
    scanner.enter_object().unwrap();
    let key = scanner.next_key(true).unwrap().unwrap();
    assert_eq!((key.decode().as_ref(), key.span()), ("ab", 3..12));
    scanner.enter_array().unwrap();
    assert!(scanner.next_element(true).unwrap());
    assert_eq!(scanner.skip_value().unwrap(), 17..18);
    assert!(scanner.next_element(false).unwrap());
    assert_eq!(scanner.string().unwrap().raw, "x");
    assert!(!scanner.next_element(false).unwrap());
    assert_eq!(scanner.next_key(false).unwrap().unwrap().raw, "c");
    scanner.skip_value().unwrap();
    assert!(scanner.next_key(false).unwrap().is_none());
    assert_eq!(scanner.finish(), Ok(()));
}

/// Damages a text at some bytes; what is no longer UTF-8 is repaired.
fn damage(text: &str, edits: &[(u16, u8, u8)]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for &(at, kind, byte) in edits {
        if bytes.is_empty() {
            break;
        }
        let at = usize::from(at) % bytes.len();
        match kind % 4 {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const SEED: &str = r#"{"a":[1,-0.5e+3,true,false,null,{}],"long key with \" and \u00e9":{"b":"x\ny","c":[[],[{}]]} , "d":"" }"#;

proptest::proptest! {
    #[test]
    fn agrees_with_another_reader(
        edits in proptest::collection::vec((proptest::num::u16::ANY, proptest::num::u8::ANY, proptest::char::any()), 0..6),
        printable in proptest::bool::ANY,
    ) {
        let edits: Vec<_> = edits
            .into_iter()
            .map(|(at, kind, c)| {
                let pool = b"{}[]\":,\\u0e-+. \n\t/tfn19";
                let byte = if printable { pool[c as usize % pool.len()] } else { c as u8 };
                (at, kind, byte)
            })
            .collect();
        let text = damage(SEED, &edits);
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        proptest::prop_assert_eq!(skip(&text).is_ok(), theirs, "{}", text);
        proptest::prop_assert_eq!(super::super::parse(&text).is_ok(), theirs, "{}", text);
    }
}
