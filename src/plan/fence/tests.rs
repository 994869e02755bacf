//! Which code still asks for what moved away.

use super::{Declared, declaration};
use crate::config::{Configuration, LoadOptions};
use crate::source_tree::MemoryTree;

fn check(code: &str, address: &str) -> String {
    let tree = MemoryTree::new().with("main.tf", code).with(
        "net/main.tf",
        "resource \"t_x\" \"in\" {\n}\nresource \"t_x\" \"each\" {\n  for_each = toset([\"a\"])\n}\n",
    );
    let code = Configuration::load(&tree, &LoadOptions::default()).unwrap();
    match declaration(&code, &address.parse().unwrap()) {
        Declared::No => "no".to_owned(),
        Declared::Yes(place) => place,
        Declared::Perhaps(place, doubt) => format!("{place}? {doubt}"),
    }
}

#[test]
fn blocks_and_keys() {
    let each = "resource \"t_x\" \"a\" {\n  for_each = toset([\"k.1\", \"é\"])\n}\n";
    let object = "resource \"t_x\" \"a\" {\n  for_each = { k = var.v, \"l\" = 2 }\n}\n";
    let local =
        "locals {\n  names = [\"k\"]\n}\nresource \"t_x\" \"a\" {\n  for_each = toset(local.names)\n}\n";
    let filtered = "resource \"t_x\" \"a\" {\n  for_each = { for key, value in var.x : key => value if contains([\"a.b\", \"b\"], key) }\n}\n";
    let other_filter = "resource \"t_x\" \"a\" {\n  for_each = { for key, value in var.x : key => value if contains([\"b\"], value) }\n}\n";
    let table = [
        ("resource \"t_x\" \"a\" {\n}\n", "t_x.a", "main.tf:1"),
        ("resource \"t_x\" \"a\" {\n}\n", "t_x.b", "no"),
        ("resource \"t_x\" \"a\" {\n}\n", "t_x.a[0]", "main.tf:1"),
        ("resource \"t_x\" \"a\" {\n}\n", "t_x.a[1]", "no"),
        ("data \"t_x\" \"a\" {\n}\n", "t_x.a", "no"),
        (each, "t_x.a[\"k.1\"]", "main.tf:1"),
        (each, "t_x.a[\"gone\"]", "no"),
        (each, "t_x.a[0]", "no"),
        (object, "t_x.a[\"l\"]", "main.tf:1"),
        (object, "t_x.a[\"m\"]", "no"),
        (local, "t_x.a[\"k\"]", "main.tf:4"),
        (local, "t_x.a[\"l\"]", "no"),
        (
            "resource \"t_x\" \"a\" {\n  count = 2\n}\n",
            "t_x.a[1]",
            "main.tf:1",
        ),
        ("resource \"t_x\" \"a\" {\n  count = 2\n}\n", "t_x.a[2]", "no"),
        ("resource \"t_x\" \"a\" {\n  count = 0\n}\n", "t_x.a", "no"),
        (
            "locals {\n  n = (1)\n}\nresource \"t_x\" \"a\" {\n  count = local.n\n}\n",
            "t_x.a[0]",
            "main.tf:4",
        ),
        (
            "resource \"t_x\" \"a\" {\n  for_each = var.x\n}\n",
            "t_x.a[\"k\"]",
            "main.tf:1? `for_each` at main.tf:2 is not known before a plan",
        ),
        (
            "resource \"t_x\" \"a\" {\n  count = var.on ? 1 : 0\n}\n",
            "t_x.a[0]",
            "main.tf:1? `count` at main.tf:2 is not known before a plan",
        ),
        (filtered, "t_x.a[\"c\"]", "no"),
        (
            filtered,
            "t_x.a[\"a.b\"]",
            "main.tf:1? `for_each` at main.tf:2 is not known before a plan",
        ),
        (
            other_filter,
            "t_x.a[\"c\"]",
            "main.tf:1? `for_each` at main.tf:2 is not known before a plan",
        ),
    ];
    for (code, address, expected) in table {
        assert_eq!(check(code, address), expected, "{address} in {code}");
    }
}

#[test]
fn modules() {
    let plain = "module \"net\" {\n  source = \"./net\"\n}\n";
    let keyed = "module \"net\" {\n  source   = \"./net\"\n  for_each = toset([\"a\"])\n}\n";
    let table = [
        (plain, "module.net.t_x.in", "net/main.tf:1"),
        (plain, "module.net.t_x.each[\"b\"]", "no"),
        (plain, "module.other.t_x.in", "no"),
        (keyed, "module.net[\"a\"].t_x.each[\"a\"]", "net/main.tf:3"),
        (keyed, "module.net[\"b\"].t_x.each[\"a\"]", "no"),
        (
            "module \"far\" {\n  source = \"example/far/any\"\n}\n",
            "module.far.t_x.a",
            "main.tf:1? `module.far` is not installed: run `terraform init` there",
        ),
    ];
    for (code, address, expected) in table {
        assert_eq!(check(code, address), expected, "{address} in {code}");
    }
}
