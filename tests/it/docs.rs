//! The documents say what the code says.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use stackcut::error::Exit;
use stackcut::lint::Rule;

#[test]
fn the_exit_code_table_matches_the_constants() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/exit-codes.md")).unwrap();
    let rows: Vec<(String, String)> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let code = cells.next()?.to_owned();
            let name = cells.next()?.trim_matches('`').to_owned();
            code.parse::<u8>().is_ok().then_some((code, name))
        })
        .collect();
    let expected: Vec<(String, String)> = Exit::ALL
        .into_iter()
        .map(|exit| (exit.code().to_string(), exit.name().to_owned()))
        .collect();
    assert_eq!(rows, expected);
}

/// Renders the reference from the definition of the command line itself.
fn cli_reference() -> String {
    let mut page = String::from(
        "# Command line reference\n\nWritten from the program's own help: `STACKCUT_UPDATE_DOCS=1 cargo test --test it docs::` renews it, and the same\ntest fails when it is stale. Exit codes: [exit-codes.md](exit-codes.md). What\n`--format json` writes: [json.md](json.md).\n",
    );
    let mut command = stackcut::cli::Cli::command().term_width(100);
    command.build();
    let mut write = |name: String, help: String| {
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!(
            "\n## `{name}`\n\n```text\n{}\n```\n",
            help.join("\n").trim_end()
        ));
    };
    write("stackcut".to_owned(), command.render_long_help().to_string());
    for sub in command
        .get_subcommands_mut()
        .filter(|sub| sub.get_name() != "help")
    {
        write(
            format!("stackcut {}", sub.get_name()),
            sub.render_long_help().to_string(),
        );
    }
    page
}

/// The rules of `check`, as a page.
fn lints() -> String {
    let mut page = String::from(
        "# What `stackcut check` finds\n\n`stackcut check DIR…` reads stacks as they are written, emitted or edited by hand, and the ledger `contracts.json` that\n\
         lies with them. It runs nothing, needs no credentials, and never shows a value of a state. Errors give exit code 2;\n\
         warnings do so with `--deny-warnings`. This table is written from the rules themselves, as [cli.md](cli.md) is from the\nhelp.\n\n\
         | rule | broken by |\n|---|---|\n",
    );
    for rule in Rule::ALL {
        page.push_str(&format!("| `{}` | {} |\n", rule.name(), rule.summary()));
    }
    page.push_str(
        "\nWhat is compared with what:\n\n\
         - What a stack *tells* is read from its code: the `data` of an `ssm_json_store` or `s3_json_store`, or an output with\n  \
         `jsonencode({ installed = …, public = … })`. Where the producer is not among the directories, the ledger stands for it.\n\
         - What a stack *reads* is followed from the module, remote state or variable through locals, objects, arguments of modules,\n  \
         `for` expressions, repetitions and `dynamic` blocks to each place of use. An index that is not constant stands for any\n  \
         key. What `contracts.auto.tfvars.json` says of a variable counts more than the ledger. The static proof of\n  \
         `plan` and `emit` asks the same of what they write ([proof.md](proof.md)).\n\
         - A whole object in a contract is what `emit` writes where the code hands a whole object on. The warning names the attributes\n  \
         that readers take: name them in the monolith before the cut, or tell them alone. Where a reader takes all of it there is none.\n\
         - What is left of a source may call modules beside the place that it will be copied to (`../modules/x`). The ledger lists\n  \
         them under `beside`, and they need not be there; any other path must lead to a module.\n\
         - Types are compared as far as the text tells them: literals, templates, for expressions and well-known functions.\n\
         - `--against OLD` compares the ledger with an older one: a value with readers may not go away or change its type.\n",
    );
    page
}

#[test]
fn the_page_of_lints_is_the_rules() {
    is_current("docs/lints.md", &lints());
}

#[test]
fn the_command_line_reference_is_the_help() {
    is_current("docs/cli.md", &cli_reference());
}

fn is_current(page: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    if std::env::var_os("STACKCUT_UPDATE_DOCS").is_some() {
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{page} is stale; renew it with STACKCUT_UPDATE_DOCS=1 cargo test --test it docs::"
    );
}
