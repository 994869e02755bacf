//! Tables of what patterns take, and properties.

use proptest::prelude::*;

use super::*;
use crate::address::tests::properties::{address_like, any_instance};

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// Checks what `text` takes of `addresses`: those with `+` before them, and not those with `-`.
fn takes(text: &str, addresses: &[&str]) {
    let pattern = pattern(text);
    assert_eq!(
        pattern.to_string().parse(),
        Ok(pattern.clone()),
        "printing {text}"
    );
    for marked in addresses {
        let (mark, address) = marked.split_at(1);
        let instance = address.parse().expect(address);
        assert_eq!(pattern.matches(&instance), mark == "+", "{text} on {address}");
    }
}

#[test]
fn resources_of_the_root() {
    takes(
        "aws_sqs_queue.*",
        &[
            "+aws_sqs_queue.a",
            "+aws_sqs_queue.a[0]",
            "+aws_sqs_queue.a[\"x.y\"]",
            "-aws_sqs_queue_policy.a",
            "-xaws_sqs_queue.a",
            "-data.aws_sqs_queue.a",
            "-module.m.aws_sqs_queue.a",
        ],
    );
    takes(
        "aws_iam_*.orders-*",
        &[
            "+aws_iam_role.orders-a",
            "+aws_iam_role.orders-",
            "+aws_iam_.orders-a",
            "-aws_iam_role.orders",
            "-aws_iam_role.my-orders-a",
            "-aws_sqs_queue.orders-a",
        ],
    );
    takes(
        "data.aws_*.*",
        &[
            "+data.aws_ami.a",
            "+data.aws_ami.a[0]",
            "-aws_ami.a",
            "-data.http.a",
        ],
    );
    takes(
        "*.*",
        &["+a.b", "+resource.count.b", "-data.a.b", "-module.m.a.b"],
    );
    takes("*a*b*.c", &["+ab.c", "+xaxbx.c", "-ba.c", "-a.c"]);
    takes("aa*a.c", &["+aaa.c", "+aabaa.c", "-aa.c"]);
    takes("resource.count.*", &["+resource.count.x", "-a.x"]);
    takes("resource.data.*", &["+resource.data.x", "-data.data.x"]);
}

#[test]
fn keys() {
    takes(
        "aws_subnet.private",
        &[
            "+aws_subnet.private",
            "+aws_subnet.private[0]",
            "+aws_subnet.private[\"a\"]",
        ],
    );
    takes(
        "aws_subnet.private[0]",
        &[
            "+aws_subnet.private[0]",
            "-aws_subnet.private[1]",
            "-aws_subnet.private",
        ],
    );
    takes("aws_subnet.private[0]", &["-aws_subnet.private[\"0\"]"]);
    takes("a.b[*]", &["+a.b[0]", "+a.b[\"x\"]", "+a.b[\"\"]", "-a.b"]);
    takes(
        "a.b[\"*\"]",
        &["-a.b[0]", "+a.b[\"x.y[0]\"]", "+a.b[\"\"]", "-a.b"],
    );
    takes(
        "a.b[\"a*z\"]",
        &[
            "+a.b[\"az\"]",
            "+a.b[\"a.\\\"]z\"]",
            "-a.b[\"a\"]",
            "-a.b[\"xaz\"]",
        ],
    );
    takes("a.b[\"\"]", &["+a.b[\"\"]", "-a.b[\"x\"]", "-a.b"]);
    // A star that belongs to the key.
    takes(
        r#"a.b["\*.example.com"]"#,
        &["+a.b[\"*.example.com\"]", "-a.b[\"www.example.com\"]"],
    );
    takes(
        "a.b[\"*.example.com\"]",
        &["+a.b[\"*.example.com\"]", "+a.b[\"www.example.com\"]"],
    );
    takes(
        r#"a.b["$${\\\u002a*"]"#,
        &[r#"+a.b["$${\\*"]"#, r#"+a.b["$${\\*x"]"#, r#"-a.b["$${\\x"]"#],
    );
    // NFC, as in addresses.
    takes("a.b[\"e\u{301}*\"]", &["+a.b[\"\u{e9}t\u{e9}\"]"]);
}

#[test]
fn modules() {
    takes(
        "module.vpc",
        &[
            "+module.vpc.a.b",
            "+module.vpc.data.a.b",
            "+module.vpc[0].a.b[1]",
            "+module.vpc.module.inner[\"k\"].a.b",
            "-module.vpcs.a.b",
            "-module.x.module.vpc.a.b",
            "-vpc.b",
        ],
    );
    takes(
        "module.service[\"*\"]",
        &[
            "+module.service[\"orders\"].a.b",
            "-module.service.a.b",
            "-module.service[0].a.b",
        ],
    );
    takes(
        "module.service[\"orders\"]",
        &[
            "+module.service[\"orders\"].module.q.a.b",
            "-module.service[\"shop\"].a.b",
        ],
    );
    takes(
        "module.*.aws_sqs_queue.q",
        &["+module.a.aws_sqs_queue.q[0]", "+module.b[1].aws_sqs_queue.q"],
    );
    takes(
        "module.*.aws_sqs_queue.q",
        &["-aws_sqs_queue.q", "-module.a.module.b.aws_sqs_queue.q"],
    );
    takes(
        "module.s*[*].module.q",
        &[
            "+module.s[0].module.q.a.b",
            "-module.s.module.q.a.b",
            "-module.s[0].a.b",
        ],
    );
}

#[test]
fn any_depth() {
    takes(
        "module.net.**",
        &[
            "+module.net.a.b",
            "+module.net[0].data.a.b",
            "+module.net.module.x.a.b",
            "-module.x.module.net.a.b",
            "-a.b",
        ],
    );
    takes("**", &["+a.b", "+data.a.b", "+module.x[\"y\"].module.z.a.b[0]"]);
    takes(
        "**.a.*",
        &[
            "+a.b",
            "+module.x[0].a.b",
            "+module.x.module.y.a.b",
            "-data.a.b",
            "-module.x.c.b",
        ],
    );
    takes("**.data.a.*", &["+module.x.data.a.b", "+data.a.b", "-a.b"]);
    takes(
        "**.module.q",
        &[
            "+module.q.a.b",
            "+module.x[0].module.q.module.r.a.b",
            "-module.x.a.b",
            "-q.b",
        ],
    );
    takes(
        "module.a.**.module.b.**.c.d",
        &[
            "+module.a.module.b.c.d",
            "+module.a.module.x.module.b.module.y.c.d",
            "+module.a.module.b.module.b.c.d",
            "-module.a.c.d",
            "-module.b.module.a.c.d",
        ],
    );
    takes(
        "**.module.a.module.b.c.d",
        &[
            "+module.a.module.a.module.b.c.d",
            "+module.a.module.b.module.a.module.b.c.d",
            "-module.a.c.d",
        ],
    );
}

#[test]
fn blocks_are_taken_whatever_the_keys() {
    let block = "module.m[0].a.b"
        .parse::<ResourceAddr>()
        .expect("address")
        .config();
    let table = [
        ("module.m", true),
        ("module.m[0].a.b", true),
        ("module.m[1].a.b", true),
        ("**.a.b", true),
        ("module.m.a.b[0]", true),
        ("module.m.a.b[*]", true),
        ("module.m.a.c", false),
        ("a.b", false),
        ("module.n.**", false),
    ];
    for (text, expected) in table {
        assert_eq!(pattern(text).matches_config(&block), expected, "{text}");
    }
}

#[test]
fn keys_are_asked_for_where_they_are_written() {
    assert!(pattern("module.m[0].a.b").asks_for_keys() && pattern("a.b[*]").asks_for_keys());
    assert!(!pattern("module.*.a.b").asks_for_keys() && !pattern("**").asks_for_keys());
}

#[test]
fn literals() {
    for text in [
        "module.vpc",
        "module.a[0].module.b[\"k\"]",
        "a.b",
        "data.a.b[0]",
        "module.a.a.b[\"k\"]",
    ] {
        assert_eq!(pattern(text).literal(), Some(text.parse().expect(text)));
    }
    let starred = pattern(r#"a.b["\*"]"#)
        .literal()
        .expect("an escaped star is no wildcard");
    assert_eq!(starred.to_string(), r#"a.b["*"]"#);
    for text in [
        "**",
        "module.*",
        "a.*",
        "a.b[*]",
        "a.b[\"*\"]",
        "module.a.**",
        "module.a[*].b.c",
    ] {
        assert_eq!(pattern(text).literal(), None, "{text}");
    }
    let root = Pattern::from(&MoveableAddr::Module(ModuleInstanceAddr::root()));
    assert_eq!(root, pattern("**"));
}

#[test]
fn refuses_with_advice() {
    let table = [
        ("", 0, "expected a name or `*`"),
        ("aws_sqs_queue", 13, "`**` takes everything"),
        ("*", 1, "`**` takes everything"),
        ("module.x.*", 10, "ends with the module takes everything"),
        ("module", 6, "`module` must be followed"),
        ("module.", 7, "the text ends"),
        ("module.**", 7, "write `**`"),
        ("module.x.", 9, "the text ends"),
        ("module.x ", 8, "expected a dot"),
        ("module.x[0][1]", 11, "expected a dot"),
        ("data.*", 6, "a type and a name"),
        ("data", 4, "a type must follow"),
        ("ephemeral.a.b", 0, "ephemeral"),
        ("var.*", 0, "write `resource.var`"),
        ("a**.b", 1, "stands alone"),
        ("**a.b", 2, "stands alone"),
        ("***", 2, "stands alone"),
        ("a.**", 2, "stands alone"),
        ("a.b.c", 3, "complete before this"),
        ("a.b[0].c", 6, "complete before this"),
        ("a . b", 1, "a type and a name"),
        ("a.b ", 3, "unexpected text"),
        ("a.b#c", 3, "unexpected text"),
        ("a.1", 2, "expected a name"),
        ("a.b[", 4, "the text ends"),
        ("a.b[-1]", 4, "negative"),
        ("a.b[1.5]", 4, "whole number"),
        ("a.b[**]", 5, "`]` is expected"),
        ("a.b[1*]", 5, "`]` is expected"),
        ("a.b['x']", 4, "double quotes"),
        ("a.b[x]", 4, "in double quotes"),
        ("a.b[\"x", 4, "not closed"),
        ("a.b[\"${x}\"]", 5, "`$${`"),
        ("a.b[\"\\?\"]", 5, "not a valid escape"),
    ];
    for (text, offset, reason) in table {
        let error = text.parse::<Pattern>().expect_err(text);
        assert_eq!(error.offset, offset, "{error}");
        assert!(error.reason.contains(reason), "{error}");
    }
}

/// The plain meaning of a glob, to compare with.
fn plainly(glob: &[char], text: &[char]) -> bool {
    match (glob, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => plainly(rest, text) || (!text.is_empty() && plainly(glob, &text[1..])),
        ([a, rest @ ..], [b, others @ ..]) => a == b && plainly(rest, others),
        _ => false,
    }
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>(), near in address_like()) {
        for text in [text, near] {
            match text.parse::<Pattern>() {
                Err(error) => prop_assert!(text.is_char_boundary(error.offset)),
                Ok(pattern) => prop_assert_eq!(pattern.to_string().parse(), Ok(pattern)),
            }
        }
    }

    #[test]
    fn an_address_is_the_pattern_of_itself(instance in any_instance(), other in any_instance()) {
        let literal = Pattern::from(&MoveableAddr::from(instance.clone()));
        prop_assert!(literal.matches(&instance));
        prop_assert!(literal.matches_config(&instance.resource.config()));
        prop_assert_eq!(literal.to_string().parse(), Ok(literal.clone()));
        prop_assert_eq!(literal.literal(), Some(instance.clone().into()));
        let inside = literal.matches(&other);
        prop_assert!(!inside || other.resource.config() == instance.resource.config());
        let module = Pattern::from(&MoveableAddr::Module(instance.resource.module.clone()));
        prop_assert!(module.matches(&instance));
    }

    #[test]
    fn globs_mean_what_they_say(name in "[ab]{1,8}", glob in "([ab]|\\*[ab]){1,8}\\*?|\\*") {
        let instance: ResourceInstanceAddr = format!("t.{name}").parse().expect("a name");
        let (g, n): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
        prop_assert_eq!(pattern(&format!("t.{glob}")).matches(&instance), plainly(&g, &n));
    }

    #[test]
    fn paths_mean_what_they_say(names in "[ab]{0,7}", glob in "[ab*]{1,6}") {
        // `*` in `glob` is a `**` step, a letter is a module; the plain matcher over letters says the same.
        let steps = |text: &str| {
            let step = |c| if c == '*' { "**.".to_owned() } else { format!("module.{c}.") };
            text.chars().map(step).collect::<String>()
        };
        let instance: ResourceInstanceAddr = format!("{}t.n", steps(&names)).parse().expect("an address");
        let (g, n): (Vec<char>, Vec<char>) = (glob.chars().collect(), names.chars().collect());
        prop_assert_eq!(pattern(&format!("{}t.n", steps(&glob))).matches(&instance), plainly(&g, &n));
    }
}
