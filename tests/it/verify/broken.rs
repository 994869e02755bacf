//! Cuts that are wrong, each in its own way: found and named, without a value.

use stackcut::verify::{Class, Verdict};

use super::stage::{CODE, STACKS, Stage, edit, root, shown};
use crate::rewrite::lab::Lab;
use crate::rewrite::small::{formatted, plan};
use crate::support::tools::tools;

fn lab(more: &[(&str, &str)]) -> Lab {
    let code = formatted(CODE);
    let mut files = vec![("main.tf", &*code)];
    files.extend(more);
    Lab::new(tools().terraform(), &files, &plan(STACKS)).apply()
}

/// Everything that is ever shown of a proof.
fn everything(proof: &stackcut::verify::Proof) -> String {
    format!(
        "{}\n{}\n{}\n{}\n{}\n{proof:?}",
        proof.text(),
        proof.markdown(),
        proof.json(),
        shown(&proof.faults()),
        shown(&proof.warnings())
    )
}

#[test]
fn what_is_created_and_deleted_is_named_and_no_secret_is_shown() {
    let lab = lab(&[]);
    let mut cut = lab.cut();
    edit(&mut cut, "queues", "main.tf", "\"queue\"", "\"queues\"");
    edit(&mut cut, "mono", "main.tf", "PLANTED-rest", "PLANTED-other");
    let proof = Stage::new(&lab).run(&cut);
    assert!(!proof.holds());
    let queues = root(&proof, "queues");
    let found: Vec<(Class, &str)> = queues
        .judgement
        .findings
        .iter()
        .map(|finding| (finding.class, finding.address.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            (Class::Delete, "terraform_data.queue[\"in\"]"),
            (Class::Delete, "terraform_data.queue[\"out.v2\"]"),
            (Class::Create, "terraform_data.queues[\"in\"]"),
            (Class::Create, "terraform_data.queues[\"out.v2\"]"),
        ]
    );
    assert_eq!(root(&proof, "network").verdict, Verdict::NoChanges);
    insta::assert_snapshot!(shown(&proof.faults()), @r#"
    error: `mono` would change 1 object after the cut
      = note: terraform_data.rest: update (input, output)
      = note: nothing was written
    hint: an argument has another value than before: see where the attribute's value comes from, the variable files and contracts first

    error: `queues` would change 4 objects after the cut
      = note: terraform_data.queue["in"]: delete: no resource config
      = note: terraform_data.queue["out.v2"]: delete: no resource config
      = note: terraform_data.queues["in"]: create
      = note: terraform_data.queues["out.v2"]: create
      = note: nothing was written
    hint: code and state name the same objects differently: compare the addresses, and the keys of `for_each` and `count`
    "#);
    insta::assert_snapshot!(proof.text().replace(&tools().terraform().version, "X.Y.Z"), @r#"
    proof by Terraform X.Y.Z, environment default
      mono     CHANGED: 1 object
                 terraform_data.rest: update (input, output)
      network  no changes
      queues   CHANGED: 4 objects
                 terraform_data.queue["in"]: delete: no resource config
                 terraform_data.queue["out.v2"]: delete: no resource config
                 terraform_data.queues["in"]: create
                 terraform_data.queues["out.v2"]: create
    the proof does not hold
    "#);
    let all = everything(&proof);
    assert!(!all.contains("PLANTED"), "{all}");
}

#[test]
fn what_the_monolith_would_change_anyway_is_not_blamed_on_the_cut() {
    let lab = lab(&[]);
    // Edited since the last apply: the monolith's own plan is not empty.
    let main = lab.monolith.join("main.tf");
    let code = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, code.replace("PLANTED-rest", "PLANTED-edited")).unwrap();
    let mut cut = lab.cut();
    let proof = Stage::new(&lab).run(&cut);
    let rest = root(&proof, "mono");
    assert_eq!(rest.verdict, Verdict::OnlyKnown, "{}", proof.text());
    assert_eq!(
        rest.judgement.known[0].line(),
        "terraform_data.rest: update (input, output)"
    );
    assert!(proof.holds());
    // More than that is the cut's doing, at the same object too.
    edit(&mut cut, "mono", "main.tf", "PLANTED-once", "PLANTED-twice");
    let proof = Stage::new(&lab).run(&cut);
    let rest = root(&proof, "mono");
    assert_eq!(rest.verdict, Verdict::Changed, "{}", proof.text());
    assert_eq!(rest.judgement.findings[0].class, Class::Replace);
    assert!(!everything(&proof).contains("PLANTED"));
}

#[test]
fn a_variable_with_another_value_is_an_update() {
    let lab = lab(&[("terraform.tfvars", "size = 1\n")]);
    let mut cut = lab.cut();
    edit(&mut cut, "network", "terraform.tfvars", "size = 1", "size = 2");
    let proof = Stage::new(&lab).run(&cut);
    let network = root(&proof, "network");
    assert_eq!(network.verdict, Verdict::Changed);
    insta::assert_snapshot!(shown(&proof.faults()[..1]), @"
    error: `network` would change 1 object after the cut
      = note: terraform_data.vpc: update (input, output)
      = note: nothing was written
    hint: an argument has another value than before: see where the attribute's value comes from, the variable files and contracts first
    ");
    assert!(!everything(&proof).contains("PLANTED"));
}

#[test]
fn what_cannot_be_planned_is_said_in_terraforms_words() {
    let lab = lab(&[]);
    let mut cut = lab.cut();
    edit(&mut cut, "network", "main.tf", "var.size", "var.sise");
    let proof = Stage::new(&lab).run(&cut);
    assert_eq!(root(&proof, "network").verdict, Verdict::Unproven);
    let said = shown(&proof.faults());
    assert!(
        said.contains("could not be proven") && said.contains("Reference to undeclared input variable"),
        "{said}"
    );
    // Its reader is planned with what the state tells.
    let queues = root(&proof, "queues");
    assert_eq!(queues.verdict, Verdict::NoChanges, "{}", proof.text());
    assert_eq!(
        queues.notes,
        ["planned with what the state of `network` tells: its plan does not say"]
    );
    // Terraform's own words show the line of code; ours show nothing.
    let ours = format!("{}{}{}", proof.text(), proof.markdown(), proof.json());
    assert!(!ours.contains("PLANTED-"), "{ours}");
}

/// A producer that will tell something else changes what its readers plan.
#[test]
fn consumers_are_planned_with_what_the_producer_will_tell() {
    let lab = lab(&[]);
    let mut cut = lab.cut();
    edit(
        &mut cut,
        "network",
        "contract.tf",
        "terraform_data.vpc.output",
        "\"PLANTED-else\" == \"\" ? null : { id = \"PLANTED-other\" }",
    );
    let proof = Stage::new(&lab).run(&cut);
    let queues = root(&proof, "queues");
    assert_eq!(queues.verdict, Verdict::Changed, "{}", proof.text());
    assert!(
        queues
            .judgement
            .findings
            .iter()
            .all(|finding| finding.class == Class::Update)
    );
    assert!(!everything(&proof).contains("PLANTED"));
}

#[test]
fn what_nobody_knows_is_not_proven() {
    let lab = lab(&[]);
    let mut cut = lab.cut();
    edit(&mut cut, "network", "main.tf", "var.size", "var.sise");
    cut.rewritten.documents.clear();
    let proof = Stage::new(&lab).run(&cut);
    let queues = root(&proof, "queues");
    assert_eq!(queues.verdict, Verdict::Unproven);
    insta::assert_snapshot!(shown(&proof.faults()[1..]), @"
    error: `queues` could not be proven: what `network` tells is not known before it is applied
      = note: nothing was written
    hint: apply `network` after the cut, and plan `queues` then
    ");
    // A producer that is no part of this cut is read where it tells.
    let network = cut
        .rewritten
        .trees
        .keys()
        .find(|id| id.name().as_str() == "network")
        .unwrap()
        .clone();
    cut.rewritten.trees.remove(&network);
    let proof = Stage::new(&lab).run(&cut);
    let queues = root(&proof, "queues");
    assert_eq!(queues.verdict, Verdict::NoChanges, "{}", proof.text());
    assert_eq!(
        queues.notes,
        ["planned with what `network` tells in its store now"]
    );
}
