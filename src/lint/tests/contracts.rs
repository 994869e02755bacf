//! Rules about contracts, on producers and readers that call contract modules.

mod reads;

use super::{Files, Finding, Ledger, call, findings, ledger_of, of_installed, said};

fn contracts(stacks: &[(&str, String)], ledger: &[(&str, &str, &str, &[&str])], expected: &[&str]) {
    let ledger = (!ledger.is_empty()).then(|| ledger_of(ledger));
    assert_eq!(said(&found_in(stacks, ledger)), expected);
}

fn found_in(stacks: &[(&str, String)], ledger: Option<Ledger>) -> Vec<Finding> {
    let files: Vec<Vec<(&str, &str)>> = stacks
        .iter()
        .map(|(_, code)| vec![("main.tf", code.as_str())])
        .collect();
    let stacks: Vec<Files<'_>> = stacks
        .iter()
        .zip(&files)
        .map(|((name, _), files)| (*name, &files[..]))
        .collect();
    of_installed(findings(&stacks, ledger))
}

/// A stack `network` that tells this.
fn network(public: &str, private: &str) -> (&'static str, String) {
    let data = format!(
        "  name = \"network\"\n  data = {{\n    installed = true\n    public = {public}\n    private = {private}\n  }}\n"
    );
    let code =
        "resource \"aws_vpc\" \"main\" {}\n\nresource \"aws_subnet\" \"private\" {\n  count = 2\n}\n\n";
    (
        "network",
        format!("{code}{}", call("contract", "ssm_json_store", &data)),
    )
}

/// A stack `orders` that reads `network`.
fn orders(value: &str) -> (&'static str, String) {
    let read = call("network", "ssm_json_store", "  name = \"network\"\n");
    let locals = "\nlocals {\n  network = nonsensitive(module.network.value).public\n}\n";
    (
        "orders",
        format!("{read}{locals}\noutput \"x\" {{\n  value = {value}\n}}\n"),
    )
}

const VPC: &str = "{ vpc = { main = { id = aws_vpc.main.id, tags = { Name = \"x\" } } }, subnet = { private = [for one in aws_subnet.private : { id = one.id }] } }";

#[test]
fn what_is_read_must_be_told() {
    let check =
        |value: &str, expected: &[&str]| contracts(&[network(VPC, "{}"), orders(value)], &[], expected);
    check("local.network.vpc.main.id", &[]);
    check(
        "[local.network.subnet.private[*].id, local.network.subnet.private[0].id]",
        &[],
    );
    check("[for one in local.network.subnet.private : one.id]", &[]);
    check("module.network.value.public.vpc.main.id", &[]);
    check(
        "local.network.vpc.main.idd",
        &["error contract-unknown main.tf:12: `network` does not tell `/public/vpc/main/idd`"],
    );
    check(
        "local.network.subnet.private[*].arn",
        &["error contract-unknown main.tf:12: `network` does not tell `/public/subnet/private/*/arn`"],
    );
    check(
        "local.network.vpc.main.tags.Name.x",
        &[
            "error contract-retyped main.tf:12: `/public/vpc/main/tags/Name/x` goes into a string of `network`",
        ],
    );
    check(
        "toset(local.network.vpc.main.tags)",
        &[
            "error contract-retyped main.tf:12: `/public/vpc/main/tags` of `network` is used as an array, and is an object",
        ],
    );
    check("toset(local.network.subnet.private)", &[]);
    check(
        "1",
        &["warning contract-unused main.tf:8: `local.network` reads a contract, and nothing uses it"],
    );
    // Another path than the producer's, and a producer that is not there.
    let (name, code) = orders("local.network.vpc.main.id");
    contracts(
        &[
            network(VPC, "{}"),
            (name, code.replace("/configuration", "/other")),
        ],
        &[],
        &[
            "error contract-unknown main.tf:1: `orders` looks for the contract of `network` below `other`, and it is told below `configuration`",
        ],
    );
    contracts(
        &[
            network(VPC, "{}"),
            (name, code.replace("\"network\"\n}", "\"netwrok\"\n}")),
        ],
        &[],
        &["error contract-unknown main.tf:12: no stack here tells a contract named `netwrok`"],
    );
}

#[test]
fn the_ledger_must_say_what_is_there() {
    let reads = "[local.network.vpc.main.id, local.network.subnet.private[*].id]";
    let ledger: &[(&str, &str, &str, &[&str])] = &[
        ("network", "/public/vpc/main/id", "string", &["orders"]),
        ("network", "/public/subnet/private/*/id", "string", &["orders"]),
    ];
    let told = "{ vpc = { main = { id = aws_vpc.main.id } }, subnet = { private = [for one in aws_subnet.private : { id = one.id }] } }";
    contracts(&[network(told, "{}"), orders(reads)], ledger, &[]);
    // Dropped and retyped by the producer.
    contracts(
        &[
            network("{ vpc = { main = { id = length(aws_subnet.private) } } }", "{}"),
            orders("local.network.vpc.main.id"),
        ],
        ledger,
        &[
            "error contract-dropped main.tf:7: `network` no longer tells `/public/subnet/private/*/id`",
            "error contract-retyped main.tf:13: `/public/vpc/main/id` of `network` was a string and is a number",
            "warning contract-unused: the ledger says that `orders` reads `/public/subnet/private/*/id` of `network`, and it does not",
        ],
    );
    // Told and read without the ledger's knowledge.
    let more = "{ vpc = { main = { id = aws_vpc.main.id, arn = aws_vpc.main.arn } }, subnet = { private = [for one in aws_subnet.private : { id = one.id }] } }";
    contracts(
        &[network(more, "{}"), orders(reads)],
        ledger,
        &[
            "warning contract-unlisted main.tf:13: the contract of `network` tells `/public/vpc/main/arn`, which is not in the ledger",
        ],
    );
    contracts(
        &[
            network(told, "{}"),
            orders(reads),
            ("late", orders("local.network.vpc.main.id").1),
        ],
        ledger,
        &[
            "warning contract-unlisted main.tf:12: `late` reads `/public/vpc/main/id` of `network`, and the ledger does not know that",
        ],
    );
    // The producer is not here: the ledger alone says what it tells.
    contracts(
        &[orders(
            "[local.network.vpc.main.id, local.network.subnet.private[*].typo]",
        )],
        ledger,
        &[
            "error contract-unknown main.tf:12: `network` does not tell `/public/subnet/private/*/typo`",
            "warning contract-unused: the ledger says that `orders` reads `/public/subnet/private/*/id` of `network`, and it does not",
        ],
    );
}

#[test]
fn contracts_must_show_no_secret() {
    let (name, code) = network(
        "{ db = { password = aws_db_instance.db.password, secret_arn = aws_db_instance.db.secret_arn } }",
        "{}",
    );
    let db = "resource \"aws_db_instance\" \"db\" {}\n\n";
    contracts(
        &[(name, format!("{db}{code}"))],
        &[],
        &[
            "error secret-in-contract main.tf:15: the contract of `network` shows a secret to everyone: /public/db/password",
        ],
    );
    let (_, code) = network("{}", "{ db = { password = aws_db_instance.db.password } }");
    let code = format!("{db}{code}");
    contracts(&[(name, code.clone())], &[], &[]);
    contracts(
        &[(name, code.clone())],
        &[("network", "/private/db/password", "string", &[])],
        &[],
    );
    contracts(
        &[(name, code)],
        &[("network", "/public/x", "string", &[])],
        &[
            "error secret-in-contract main.tf:16: the contract of `network` hands on a secret that nobody allowed: /private/db/password",
        ],
    );
}

#[test]
fn whole_objects_are_told_by_mistake() {
    let said = "warning whole-object main.tf:13: the contract of `network` tells all of an object";
    let whole = || network("{ vpc = { main = aws_vpc.main } }", "{}");
    contracts(&[whole()], &[], &[said]);
    contracts(&[whole(), orders("local.network.vpc.main.id")], &[], &[said]);
    // Somebody takes all of it.
    contracts(&[whole(), orders("local.network.vpc.main")], &[], &[]);
    contracts(&[whole(), orders("jsonencode(local.network.vpc)")], &[], &[]);
    let notes = |told: &str, value: &str| {
        let mut found = found_in(&[network(told, "{}"), orders(value)], None);
        found.retain(|finding| finding.rule == super::Rule::WholeObject);
        found
            .iter()
            .flat_map(|finding| finding.diagnostic.notes.clone())
            .next_back()
    };
    let readers = |names: &str| Some(format!("readers take {names} of it"));
    let vpc = "{ vpc = { main = aws_vpc.main } }";
    assert_eq!(
        notes(
            vpc,
            "[local.network.vpc.main.id, local.network.vpc[\"main\"].arn]"
        ),
        readers("`arn`, `id`")
    );
    // The first step into what is repeated is no attribute.
    let subnets = "{ subnet = { private = aws_subnet.private } }";
    assert_eq!(
        notes(subnets, "[for one in local.network.subnet.private : one.id]"),
        readers("`id`")
    );
    assert_eq!(
        notes(subnets, "local.network.subnet.private[\"a\"].id"),
        readers("`id`")
    );
    assert_eq!(
        notes(subnets, "[for one in local.network.subnet.private : one]"),
        None
    );
}

#[test]
fn contracts_must_have_names_of_their_own_and_fit() {
    let (_, code) = network(VPC, "{}");
    contracts(
        &[("a", code.clone()), ("b", code.clone())],
        &[],
        &["error contract-name main.tf:7: `a` and `b` both tell a contract named `network`"],
    );
    let mut ledger = ledger_of(&[
        ("network", "/public/vpc", "object", &[]),
        ("network", "/public/subnet", "object", &[]),
    ]);
    ledger.contracts[0].size = Some(5000);
    let found = |code: &str| {
        said(&of_installed(findings(
            &[("network", &[("main.tf", code)])],
            Some(ledger.clone()),
        )))
    };
    assert_eq!(
        found(&code),
        [
            "error contract-size main.tf:7: the contract of `network` has 5000 bytes, and its parameter holds 4096"
        ]
    );
    assert_eq!(
        found(&code.replace("  data", "  tier = \"Advanced\"\n  data")),
        [""; 0]
    );
}

#[test]
fn stacks_must_not_wait_for_each_other() {
    let stack = |name: &str, other: &str| {
        let data = format!(
            "  name = \"{name}\"\n  data = {{\n    installed = true\n    public = {{ x = terraform_data.d.id }}\n    private = {{}}\n  }}\n"
        );
        let tells = call("contract", "ssm_json_store", &data);
        let reads = call("other", "ssm_json_store", &format!("  name = \"{other}\"\n"));
        format!(
            "resource \"terraform_data\" \"d\" {{\n  input = nonsensitive(module.other.value).public.x\n}}\n\n{tells}\n{reads}"
        )
    };
    contracts(
        &[
            ("a", stack("a", "b")),
            ("b", stack("b", "c")),
            ("c", stack("c", "a")),
        ],
        &[],
        &[
            "error stack-cycle main.tf:16: `a`, `b`, `c` wait for each other: each reads the next one's contract",
        ],
    );
}
