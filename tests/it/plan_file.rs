//! The reference page of the plan file, and every example plan, are read by the parser they describe.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use stackcut::diagnostic::SourceFile;
use stackcut::plan::PlanFile;

fn read(path: String, text: String) -> Result<PlanFile, String> {
    PlanFile::read(Arc::new(SourceFile { path, text })).map_err(|found| {
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        shown.join("\n\n")
    })
}

/// Returns the fenced blocks of a language, each under a name that leads to its line.
fn fenced(page: &str, path: &str, language: &str) -> Vec<(String, String)> {
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in page.lines().enumerate() {
        match &mut open {
            Some((start, _)) if line == "```" => {
                let name = format!("{path} (block at line {start})");
                let (_, text) = open.take().expect("it is open");
                blocks.push((name, text));
            }
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
            None if line == fence => open = Some((at + 1, String::new())),
            None => {}
        }
    }
    assert!(open.is_none(), "{path}: a block is not closed");
    blocks
}

#[test]
fn every_example_of_the_reference_reads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan-file.md");
    let page = fs::read_to_string(path).unwrap();
    let blocks = fenced(&page, "docs/plan-file.md", "hcl");
    assert!(blocks.len() >= 4, "the page has examples");
    for (name, text) in blocks {
        if let Err(shown) = read(name, text) {
            panic!("{shown}");
        }
    }
}

#[test]
fn every_word_of_the_reference_is_known_and_the_other_way_round() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan-file.md");
    let page = fs::read_to_string(path).unwrap();
    // An unknown word makes the parser list the known ones.
    let listed = |block: &str| -> Vec<String> {
        let text = format!("split \"a\" {{\n{}\n}}\n", block.replace('@', "qqqqqqqqqqqq = 1"));
        let shown = read("p.hcl".to_owned(), text).unwrap_err();
        let hint = shown
            .lines()
            .find_map(|line| line.strip_prefix("hint: known here: "))
            .unwrap();
        hint.split(", ")
            .map(|word| word.trim_matches('`').to_owned())
            .collect()
    };
    for (heading, block) in [
        (
            "## `source`",
            "source {\ndir = \"x\"\n@\n}\nstack \"s\" {\ntake = [\"a_b.c\"]\n}",
        ),
        (
            "## `environment`",
            "source {\ndir = \"x\"\n}\nenvironment \"e\" {\n@\n}\nstack \"s\" {\ntake = [\"a_b.c\"]\n}",
        ),
        (
            "## `defaults`",
            "source {\ndir = \"x\"\n}\ndefaults {\n@\n}\nstack \"s\" {\ntake = [\"a_b.c\"]\n}",
        ),
        (
            "## `stack`",
            "source {\ndir = \"x\"\n}\nstack \"s\" {\ntake = [\"a_b.c\"]\n@\n}",
        ),
        (
            "### Contract values",
            "source {\ndir = \"x\"\n}\nstack \"s\" {\ntake = [\"a_b.c\"]\ncontract {\n@\n}\n}",
        ),
        ("## `return`", "source {\ndir = \"x\"\n}\nreturn \"s\" {\n@\n}"),
    ] {
        let start = page.find(heading).unwrap_or_else(|| panic!("{heading}"));
        let rest = &page[start + heading.len()..];
        let table: Vec<&str> = rest
            .lines()
            .skip_while(|line| !line.starts_with("|---"))
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.split('|').nth(1).unwrap())
            .collect();
        let mut told: Vec<String> = table
            .iter()
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .map(|word| word.split(' ').next().unwrap().to_owned())
            .collect();
        told.sort_unstable();
        told.dedup();
        let mut known = listed(block);
        known.sort_unstable();
        assert_eq!(told, known, "{heading}");
    }
}

#[test]
fn every_example_plan_reads() {
    let Ok(plans) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")) else {
        return;
    };
    for plan in plans {
        let path = plan.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "hcl") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if let Err(shown) = read(format!("plans/{name}"), fs::read_to_string(&path).unwrap()) {
                panic!("{shown}");
            }
        }
    }
}
