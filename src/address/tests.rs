//! Tables of what Terraform 1.11.4 reads and prints.

use std::cmp::Ordering;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use super::*;

pub(super) mod properties;
mod providers;

/// Checks that `text` is read and printed as `printed`, and that this reads as the same address again.
fn reads<T: FromStr<Err = AddressError> + Display + Debug + PartialEq>(text: &str, printed: &str) {
    let address: T = text.parse().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(address.to_string(), printed, "printing {text:?}");
    assert_eq!(printed.parse::<T>().expect("the printed form reads"), address);
}

/// Checks that `text` is refused at byte `offset` with a reason that holds `reason`.
fn refuses<T: FromStr<Err = AddressError> + Debug>(text: &str, offset: usize, reason: &str) {
    let error = text.parse::<T>().expect_err(text);
    assert_eq!(error.offset, offset, "{error}");
    assert!(error.reason.contains(reason), "{error}");
}

fn key(text: &str) -> InstanceKey {
    text.parse().expect(text)
}

fn instance(text: &str) -> ResourceInstanceAddr {
    text.parse().expect(text)
}

fn moveable(text: &str) -> MoveableAddr {
    text.parse().expect(text)
}

#[test]
fn reads_and_prints_like_terraform() {
    let table = [
        ("terraform_data.b", "terraform_data.b"),
        (" terraform_data . b ", "terraform_data.b"),
        ("\u{feff}terraform_data.b", "terraform_data.b"),
        ("terraform_data.\nb", "terraform_data.b"),
        ("terraform_data.\r\nb", "terraform_data.b"),
        ("terraform_data\t.\tb", "terraform_data.b"),
        ("terraform_data/*c*/.b # x", "terraform_data.b"),
        ("terraform_data.b // x", "terraform_data.b"),
        ("#x\nterraform_data.b", "terraform_data.b"),
        ("terraform_data.b/*x*y**/", "terraform_data.b"),
        ("terraform_data.b[ 0 ]", "terraform_data.b[0]"),
        ("terraform_data.b [0]", "terraform_data.b[0]"),
        ("terraform_data.b[\"x\" ]", "terraform_data.b[\"x\"]"),
        ("resource.terraform_data.b", "terraform_data.b"),
        (
            "module.m/*x*/.resource.terraform_data.b",
            "module.m.terraform_data.b",
        ),
        ("module.module.terraform_data.b", "module.module.terraform_data.b"),
        ("data.terraform_data.b", "data.terraform_data.b"),
        (
            "module.m.data.terraform_data.b[0]",
            "module.m.data.terraform_data.b[0]",
        ),
        (
            "module.m [ \"x\" ] . module . n . terraform_data.b[\"q.r\"]",
            "module.m[\"x\"].module.n.terraform_data.b[\"q.r\"]",
        ),
        ("terraform_data.b-c", "terraform_data.b-c"),
        ("terraform_data.b-", "terraform_data.b-"),
        ("terraform_data._c", "terraform_data._c"),
        ("terraform_data.ünïcode", "terraform_data.ünïcode"),
        ("terraform_data.日本", "terraform_data.日本"),
        ("terraform_data.b·", "terraform_data.b·"),
        // Names are not normalised; keys are.
        ("terraform_data.e\u{301}", "terraform_data.e\u{301}"),
        ("module.m[\"e\u{301}\"].a.b", "module.m[\"\u{e9}\"].a.b"),
        ("terraform_data.data", "terraform_data.data"),
        ("terraform_data.module", "terraform_data.module"),
        ("terraform_data.true", "terraform_data.true"),
        ("data.data.x", "data.data.x"),
        ("data.count.x", "data.count.x"),
        ("provider.x", "provider.x"),
    ];
    for (text, printed) in table {
        reads::<ResourceInstanceAddr>(text, printed);
        reads::<MoveableAddr>(text, printed);
    }
    reads::<MoveableAddr>("module.m", "module.m");
    reads::<MoveableAddr>("module.m [\"x\"]", "module.m[\"x\"]");
    reads::<MoveableAddr>("module.m.module.x", "module.m.module.x");
    // Terraform prints a reserved type without the prefix it demands, and cannot read it then.
    for text in ["count", "module", "data", "resource", "ephemeral", "each"]
        .map(|word| format!("resource.{word}.x[1]"))
    {
        reads::<ResourceInstanceAddr>(&text, &text);
        reads::<MoveableAddr>(&text, &text);
    }
}

#[test]
fn tells_what_could_not_be_read_again() {
    let mut address = instance("module.m[\"k\"].terraform_data.b[\"é\"]");
    assert!(address.reads_back());
    address.key = Some(InstanceKey::Str("${\n\"\0\u{2028}💥".to_owned()));
    assert!(address.reads_back());
    for name in ["b-", "ünïcode", "e\u{301}"] {
        address.resource.name = name.to_owned();
        assert!(address.reads_back(), "{name}");
    }
    for name in ["", "1a", "a b", "a.b", "b[0]", "a/*b*/", "-"] {
        address.resource.name = name.to_owned();
        assert!(!address.reads_back(), "{name}");
    }
    // Not as Terraform's language has texts: it knows the composed letter only.
    let mut address = instance("terraform_data.b");
    address.key = Some(InstanceKey::Str("e\u{301}".to_owned()));
    assert!(!address.reads_back());
}

#[test]
fn reads_and_prints_keys_like_terraform() {
    let table: [(&str, InstanceKey, &str); 38] = [
        ("[00]", InstanceKey::Int(0), "[0]"),
        ("[01]", InstanceKey::Int(1), "[1]"),
        ("[1.0]", InstanceKey::Int(1), "[1]"),
        ("[100e-2]", InstanceKey::Int(1), "[1]"),
        ("[1E2]", InstanceKey::Int(100), "[100]"),
        ("[1e+1]", InstanceKey::Int(10), "[10]"),
        ("[1.5e1]", InstanceKey::Int(15), "[15]"),
        ("[0e400]", InstanceKey::Int(0), "[0]"),
        ("[0e99999999999999999999]", InstanceKey::Int(0), "[0]"),
        (
            "[9223372036854775807]",
            InstanceKey::Int(9_223_372_036_854_775_807),
            "[9223372036854775807]",
        ),
        (r#"[""]"#, InstanceKey::Str(String::new()), r#"[""]"#),
        (r#"["$${x}"]"#, "${x}".into(), r#"["$${x}"]"#),
        (r#"["$$${x}"]"#, "$${x}".into(), r#"["$$${x}"]"#),
        (r#"["$$$${x}"]"#, "$$${x}".into(), r#"["$$$${x}"]"#),
        (r#"["$"]"#, "$".into(), r#"["$"]"#),
        (r#"["$$"]"#, "$$".into(), r#"["$$"]"#),
        (r#"["$$$"]"#, "$$$".into(), r#"["$$$"]"#),
        (r#"["$$x"]"#, "$$x".into(), r#"["$$x"]"#),
        (r#"["%%%{x}"]"#, "%%{x}".into(), r#"["%%%{x}"]"#),
        (r#"["$%%{x}"]"#, "$%{x}".into(), r#"["$%%{x}"]"#),
        (r#"["%$${x}"]"#, "%${x}".into(), r#"["%$${x}"]"#),
        (r#"["$${$${"]"#, "${${".into(), r#"["$${$${"]"#),
        (r#"["$${%%{$"]"#, "${%{$".into(), r#"["$${%%{$"]"#),
        (r#"["$\"x"]"#, "$\"x".into(), r#"["$\"x"]"#),
        (r#"["$\u007bx"]"#, "${x".into(), r#"["$${x"]"#),
        (r#"["\u0024{x"]"#, "${x".into(), r#"["$${x"]"#),
        (r#"["$\\{x"]"#, "$\\{x".into(), r#"["$\\{x"]"#),
        (r#"["~{x}$~{"]"#, "~{x}$~{".into(), r#"["~{x}$~{"]"#),
        (r#"["\n\r\t\"\\"]"#, "\n\r\t\"\\".into(), r#"["\n\r\t\"\\"]"#),
        (r#"["n\u00e9w\tkey"]"#, "néw\tkey".into(), r#"["néw\tkey"]"#),
        (r#"["\U0001F600"]"#, "😀".into(), r#"["😀"]"#),
        (r#"["\u0000"]"#, "\0".into(), r#"["\u0000"]"#),
        ("[\"x\ty\"]", "x\ty".into(), r#"["x\ty"]"#),
        ("[\"\x7f\"]", "\x7f".into(), r#"["\u007f"]"#),
        (
            "[\"\u{200b}\u{a0}\u{ad}\u{3000}\u{2028}\"]",
            "\u{200b}\u{a0}\u{ad}\u{3000}\u{2028}".into(),
            r#"["\u200b\u00a0\u00ad\u3000\u2028"]"#,
        ),
        (r#"["\U000F0000"]"#, "\u{f0000}".into(), r#"["\U000f0000"]"#),
        ("[\"ℝ\u{378}\"]", "ℝ\u{378}".into(), r#"["ℝ\u0378"]"#),
        // NFC, also of what was written as escapes.
        (
            r#"["\u0065\u0301\u212b\u1100\u1161"]"#,
            "éÅ가".into(),
            r#"["éÅ가"]"#,
        ),
    ];
    for (text, value, printed) in table {
        assert_eq!(key(text), value, "reading {text}");
        reads::<InstanceKey>(text, printed);
        reads::<ResourceInstanceAddr>(&format!("a.b{text}"), &format!("a.b{printed}"));
        reads::<ModuleInstanceAddr>(&format!("module.m{text}"), &format!("module.m{printed}"));
    }
}

impl From<&str> for InstanceKey {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

#[test]
fn refuses_what_terraform_refuses() {
    let table = [
        ("", 0, "expected a name"),
        (" ", 1, "the text ends"),
        ("terraform_data", 14, "name is missing"),
        ("terraform_data.", 15, "the text ends"),
        ("terraform_data..b", 15, "found '.'"),
        (".terraform_data.b", 0, "found '.'"),
        ("terraform_data.\rb", 15, "found '\\r'"),
        ("terraform_data.b[1.5]", 17, "whole number"),
        ("a.b[1.00000000000000000000000000000000000001]", 4, "whole number"),
        ("a.b[9223372036854775808]", 4, "whole number"),
        ("a.b[18446744073709551616]", 4, "whole number"),
        ("a.b[1e400]", 4, "whole number"),
        ("a.b[1e99999999999999999999]", 4, "whole number"),
        ("a.b[1e-99999999999999999999]", 4, "whole number"),
        ("a.b[-1]", 4, "negative"),
        ("a.b[*]", 4, "splat"),
        ("a.b['x']", 4, "double quotes"),
        ("a.b[]", 4, "found ']'"),
        ("a.b[true]", 4, "found 't'"),
        ("a.b[.5]", 4, "found '.'"),
        ("a.b[1.]", 5, "`]` is expected"),
        ("a.b[0x1]", 5, "`]` is expected"),
        ("a.b[\"a\"", 7, "`]` is expected"),
        ("a.b[\"a", 4, "not closed"),
        ("a.b[\"a\\", 6, "ends after a backslash"),
        ("a.b.0", 3, "in brackets"),
        ("a.b.c", 3, "in brackets"),
        ("a.b[0].c", 6, "ends with"),
        ("a.b[0][1]", 6, "one instance key"),
        ("a[\"b\"]", 1, "name is missing"),
        ("a.*", 2, "splat"),
        ("a.1c", 2, "digit"),
        ("a.-c", 2, "expected a name"),
        ("(a.b)", 0, "expected a name"),
        ("a.b ;", 4, "unexpected"),
        ("a.b,", 3, "unexpected"),
        ("a.b!", 3, "unexpected"),
        ("a.b\u{a0}", 3, "unexpected"),
        ("a.b /* open", 4, "unexpected"),
        ("a.b[\"${x}\"]", 5, "`$${`"),
        ("a.b[\"%{x}\"]", 5, "`%%{`"),
        ("a.b[\"$%{x}\"]", 6, "`%%{`"),
        ("a.b[\"$$%{\"]", 7, "`%%{`"),
        ("a.b[\"x\ny\"]", 6, "line break"),
        ("a.b[\"x\ry\"]", 6, "line break"),
        ("a.b[\"\\a\"]", 5, "not a valid escape"),
        ("a.b[\"\\*\"]", 5, "not a valid escape"),
        ("a.b[\"\\$${x\"]", 5, "not a valid escape"),
        ("a.b[\"\\u0e\"]", 5, "4 hexadecimal"),
        ("a.b[\"\\u00é\"]", 5, "4 hexadecimal"),
        ("a.b[\"\\U00110000\"]", 5, "U+110000"),
        ("a.b[\"\\ud800\"]", 5, "U+D800"),
        ("resource.resource.a.b", 19, "in brackets"),
        ("resource.x", 10, "name is missing"),
        ("data.x", 6, "name is missing"),
        ("ephemeral.a.b", 0, "ephemeral"),
        ("module", 6, "name of a module call"),
        ("module.", 7, "the text ends"),
        ("module[\"m\"].a.b", 6, "name of a module call"),
        ("module.m.module", 15, "name of a module call"),
        ("module.m.a", 10, "name is missing"),
        ("module.m[\"a\"][\"b\"].a.b", 13, "followed by a dot"),
        ("module.m.[\"x\"].b", 9, "found '['"),
    ];
    for (text, offset, reason) in table {
        refuses::<MoveableAddr>(text, offset, reason);
        refuses::<ResourceInstanceAddr>(text, offset, reason);
    }
    for word in "count each local path self terraform var template lazy arg".split(' ') {
        refuses::<MoveableAddr>(&format!("{word}.x"), 0, &format!("write `resource.{word}`"));
        refuses::<MoveableAddr>(&format!("module.m.{word}.x"), 9, "reserved");
    }
}

#[test]
fn each_kind_takes_its_own() {
    assert!(matches!(moveable("module.a"), MoveableAddr::Module(_)));
    assert!(matches!(moveable("a.b"), MoveableAddr::Resource(_)));
    assert!(matches!(moveable("a.b[0]"), MoveableAddr::Instance(_)));
    assert_eq!(ModuleInstanceAddr::root().to_string(), "");
    assert_eq!("".parse(), Ok(ModuleInstanceAddr::root()));
    assert_eq!("".parse(), Ok(ModuleAddr::root()));
    refuses::<ModuleInstanceAddr>("module.a.b.c", 0, "this is a resource");
    refuses::<ResourceInstanceAddr>("module.a", 0, "this is a module");
    refuses::<ResourceAddr>("a.b[0]", 0, "this is one instance");
    reads::<ResourceAddr>("module.a[0].data.b.c", "module.a[0].data.b.c");
    reads::<ModuleAddr>("module.a.module.b", "module.a.module.b");
    refuses::<ModuleAddr>("module.a.module.b[0]", 17, "write `module.b` alone");
    refuses::<ModuleAddr>("module.a.b.c", 9, "this is a resource");
    refuses::<InstanceKey>("0", 0, "in brackets");
    refuses::<InstanceKey>("[0][1]", 3, "one instance key");
}

#[test]
fn dependencies_lose_the_keys_of_modules() {
    reads::<ConfigResourceAddr>("module.q[\"k\"].z.w", "module.q.z.w");
    reads::<ConfigResourceAddr>(
        "module.q[\"k.x\"].module.r[0].data.z.w",
        "module.q.module.r.data.z.w",
    );
    reads::<ConfigResourceAddr>("z.w", "z.w");
    refuses::<ConfigResourceAddr>("z.w[0]", 3, "without its instance key");
    refuses::<ConfigResourceAddr>("module.q", 0, "this is a module");
    refuses::<ConfigResourceAddr>("z.w.x", 3, "ends with");
}

#[test]
fn orders_like_state_list() {
    let sorted = [
        "data.z.z",
        "a.a",
        "a.a[2]",
        "a.a[10]",
        "a.a[\"\"]",
        "a.a[\"10\"]",
        "a.a[\"2\"]",
        "a.b",
        "b.a",
        "module.a.z.z",
        "module.a[0].a.a",
        "module.a[\"k\"].a.a",
        "module.b.data.a.a",
        "module.b.a.a",
        "module.b[2].a.a",
        "module.b[10].a.a",
        "module.a.module.a.a.a",
    ];
    for pair in sorted.windows(2) {
        let (a, b) = (instance(pair[0]), instance(pair[1]));
        assert_eq!(cmp_state_list(&a, &b), Ordering::Less, "{a} before {b}");
        assert_eq!(cmp_state_list(&b, &a), Ordering::Greater, "{b} after {a}");
        assert_eq!(cmp_state_list(&a, &a), Ordering::Equal);
    }
}

#[test]
fn moves_rebase_what_they_contain() {
    let table = [
        ("module.a", "module.b", "module.a.x.y[0]", Some("module.b.x.y[0]")),
        (
            "module.a",
            "module.b",
            "module.a.module.c[1].x.y",
            Some("module.b.module.c[1].x.y"),
        ),
        (
            "module.a[\"k\"]",
            "module.b.module.c",
            "module.a[\"k\"].x.y",
            Some("module.b.module.c.x.y"),
        ),
        ("module.a", "module.b", "module.a[\"k\"].x.y", None),
        ("module.a", "module.b", "module.ab.x.y", None),
        ("module.a", "module.b", "x.y", None),
        ("x.y", "module.m.x.z", "x.y[\"k\"]", Some("module.m.x.z[\"k\"]")),
        ("x.y", "x.z", "x.y", Some("x.z")),
        ("x.y", "x.z", "module.a.x.y", None),
        ("x.y", "x.z", "data.x.y", None),
        ("x.y[0]", "x.z[\"zero\"]", "x.y[0]", Some("x.z[\"zero\"]")),
        ("x.y[0]", "x.z", "x.y[0]", Some("x.z")),
        ("x.y[0]", "x.z", "x.y[1]", None),
        ("x.y[0]", "x.z", "x.y[\"0\"]", None),
        ("x.y", "x.y[0]", "x.y", Some("x.y[0]")),
        // Terraform refuses these shapes.
        ("x.y", "x.y[0]", "x.y[1]", None),
        ("module.a", "x.y", "module.a.x.y", None),
        ("x.y", "module.a", "x.y", None),
    ];
    for (from, to, address, expected) in table {
        let moved = instance(address).rebase(&moveable(from), &moveable(to));
        assert_eq!(
            moved.map(|addr| addr.to_string()).as_deref(),
            expected,
            "{from} -> {to}: {address}"
        );
    }
    let whole = instance("module.a.x.y").resource;
    let moved = whole.rebase(&moveable("module.a"), &moveable("module.b[0]"));
    assert_eq!(moved, Some(instance("module.b[0].x.y").resource));
    assert_eq!(whole.rebase(&moveable("module.a.x.y[0]"), &moveable("x.y")), None);
}

#[test]
fn module_helpers() {
    let root = ModuleInstanceAddr::root();
    let inner = root.child("a", Some(InstanceKey::Int(0))).child("b", None);
    assert_eq!(inner.to_string(), "module.a[0].module.b");
    assert_eq!(inner.parent().expect("not the root").to_string(), "module.a[0]");
    assert_eq!(root.parent(), None);
    assert_eq!(root.join(&inner), inner);
    assert_eq!(inner.config(), ModuleAddr::root().child("a").child("b"));
    assert_eq!(inner.config().parent(), Some(ModuleAddr::root().child("a")));
    let block: ConfigResourceAddr = "module.a.module.b.data.x.y".parse().expect("address");
    assert!(
        block.is_data()
            && block.is_within(&ModuleAddr::root().child("a"))
            && block.is_within(&ModuleAddr::root())
    );
    assert!(!block.is_within(&ModuleAddr::root().child("b")));
}
