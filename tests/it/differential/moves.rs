//! Our moves against `terraform state mv`: what it allows we allow, what it refuses we refuse for the same reason, and
//! the results are the same, byte for byte, but for the differences listed in [`reasons::Difference`].

mod bench;
mod compare;
mod make;
mod reasons;
mod rules;

use std::collections::BTreeSet;
use std::fs;

use stackcut::address::cmp_state_list;
use stackcut::moves::Changes;
use stackcut::state::testing::Random;
use stackcut::state::{Instance, Snapshot};

use super::cases;
use crate::support::tools::tools;
use bench::{Bench, in_one_pass};
use compare::{assert_same, compare, judge};
use make::{MONOLITH, model, monolith, random_pair, state, terraforms};
use reasons::{Difference, Reason, ours};
use rules::RULES;

#[test]
fn every_rule_of_state_mv_is_ours_too() {
    for bin in terraforms() {
        let bench = Bench::new(bin);
        let before = bench.canonical(&monolith());
        let mut seen = BTreeSet::new();
        for (from, to, expected) in RULES {
            let pair = ((*from).to_owned(), (*to).to_owned());
            let (outcome, differences) = judge(&bench, &[&before], &pair);
            assert_eq!(outcome, *expected, "{pair:?} with Terraform {}", bin.version);
            seen.extend(differences);
        }
        // Each difference shows, and no other does.
        assert_eq!(
            seen.into_iter().collect::<Vec<_>>(),
            [
                Difference::Cleared,
                Difference::Stale,
                Difference::MixedKeys,
                Difference::SamePlace
            ]
        );
    }
}

#[test]
fn moves_into_another_state_are_those_of_state_out() {
    for bin in terraforms() {
        let bench = Bench::new(bin);
        let from = bench.canonical(&monolith());
        let into = bench.canonical(&state(
            "terraform_data.list 5\nterraform_data.there -\nmodule.m.null_resource.there -\nmodule.full.terraform_data.there -",
            "into",
        ));
        let mut seen = BTreeSet::new();
        for (source, target, expected) in [
            ("terraform_data.one", "terraform_data.one", Ok(())),
            ("terraform_data.list", "terraform_data.new", Ok(())),
            ("terraform_data.list[2]", "terraform_data.list[2]", Ok(())),
            ("module.fe[\"y.z\"]", "module.fe[\"y.z\"]", Ok(())),
            (
                "module.m.terraform_data.one",
                "module.m.terraform_data.one",
                Ok(()),
            ),
            (
                "terraform_data.list",
                "terraform_data.list",
                Err(Reason::ResourceExists),
            ),
            (
                "terraform_data.list[2]",
                "terraform_data.list[5]",
                Err(Reason::InstanceExists),
            ),
            ("module.m", "module.full", Err(Reason::ModuleExists)),
            (
                "terraform_data.nope",
                "terraform_data.nope",
                Err(Reason::NotFound),
            ),
        ] {
            let pair = (source.to_owned(), target.to_owned());
            let (outcome, differences) = judge(&bench, &[&from, &into], &pair);
            assert_eq!(outcome, expected, "{pair:?} with Terraform {}", bin.version);
            seen.extend(differences);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [Difference::Dangling]);
    }
}

#[test]
fn random_moves_on_random_states_end_alike() {
    for seed in cases(3) {
        for bin in terraforms() {
            let mut random = Random::new(seed.0);
            let bench = Bench::new(bin);
            let before = bench.canonical(&model(&mut random));
            let mut accepted = Vec::new();
            for _ in 0..14 {
                let pair = random_pair(&mut random, &before);
                let (outcome, differences) = judge(&bench, &[&before], &pair);
                if outcome.is_ok() && differences.iter().all(|found| *found <= Difference::Stale) {
                    accepted.push(pair);
                }
            }
            many_in_one_pass(&bench, &before, &accepted);
        }
    }
}

/// What Terraform does one after the other we do in one pass.
fn many_in_one_pass(bench: &Bench, before: &Snapshot, candidates: &[(String, String)]) {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut expected = before.clone();
    for pair in candidates {
        let Ok(mut after) = bench.state_mv(&expected, None, std::slice::from_ref(pair)) else {
            continue;
        };
        let tried: Vec<_> = pairs.iter().chain([pair]).cloned().collect();
        match in_one_pass(&[before], &tried) {
            Ok(_) => {}
            // The differences of single moves; the move is left out here.
            Err(error) if matches!(ours(&error), Reason::Provider | Reason::WholeResource) => continue,
            Err(error) => panic!("{tried:?}: {error}"),
        }
        expected = after.remove(0);
        pairs = tried;
    }
    if !pairs.is_empty() {
        let (we, changes) = in_one_pass(&[before], &pairs).unwrap();
        if changes != Changes::default() {
            compare(
                &[before],
                before,
                (&expected, &we[0]),
                pairs.len() as u64,
                &changes,
            );
        }
    }
}

/// Our results are states to Terraform: they can be pushed over the old ones and come back as they are.
#[test]
fn results_can_be_pushed_listed_and_pulled() {
    for bin in terraforms() {
        let bench = Bench::new(bin);
        let before = bench.canonical(&state(
            &MONOLITH.replace("mixed -,1,\"s\"", "mixed 1"),
            "monolith",
        ));
        let pairs: Vec<(String, String)> = [
            ("terraform_data.one", "module.new[\"a.b\"].terraform_data.one[3]"),
            ("terraform_data.list[1]", "terraform_data.map[\"from.list\"]"),
            ("module.fe[\"y.z\"]", "module.z"),
            ("terraform_data.list", "terraform_data.map2"),
        ]
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .into();
        let (after, _) = in_one_pass(&[&before], &pairs).unwrap();
        fs::write(bench.dir.path().join("result"), after[0].text()).unwrap();
        bench.tf.run(&["state", "push", "result"]).ok();
        let stored = fs::read_to_string(bench.dir.path().join("terraform.tfstate")).unwrap();
        // Over a state that is there, `state push` counts once more.
        let serial = |number: u64| format!("\"serial\": {number},");
        let number = after[0].serial().0;
        assert_same(
            &stored,
            &after[0].text().replacen(&serial(number), &serial(number + 1), 1),
        );
        // `state pull` ends its output with one more line break.
        assert_same(bench.tf.state_pull().trim_end(), stored.trim_end());
        let mut listed: Vec<_> = after[0].instances().map(Instance::addr).collect();
        listed.sort_by(cmp_state_list);
        listed.dedup();
        let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
        assert_eq!(bench.tf.state_list(), listed);
    }
}

#[test]
fn random_states_are_listed_in_terraforms_order() {
    for seed in cases(6) {
        let bench = Bench::new(tools().terraform());
        let before = bench.canonical(&model(&mut Random::new(100 + seed.0)));
        let mut listed: Vec<_> = before.instances().map(Instance::addr).collect();
        listed.sort_by(cmp_state_list);
        listed.dedup();
        let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
        assert_eq!(bench.tf.state_list(), listed);
    }
}
