//! Makes a failing case smaller while it still fails.

use super::case::Case;

/// Takes parts away for as long as what is left still fails, and no longer than `attempts`.
///
/// The result fails too, and (if there were attempts enough) nothing can be taken from it without mending it.
pub fn shrink(case: Case, attempts: usize, mut fails: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case;
    let mut left = attempts;
    loop {
        let mut found = None;
        for smaller in best.smaller() {
            if left == 0 {
                return best;
            }
            left -= 1;
            if fails(&smaller) {
                found = Some(smaller);
                break;
            }
        }
        match found {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::{CHILD, Kind, Owner, Repeat, Thing};
    use super::super::generate::case;
    use super::*;

    fn owner(thing: &Thing) -> Option<usize> {
        match thing.owner {
            Owner::Whole(owner) => owner,
            Owner::Keys(_) => None,
        }
    }

    /// A rewrite that forgets to replace splats of counted blocks in other stacks: what it writes would not plan.
    fn forgets_splats(case: &Case) -> bool {
        case.things.iter().any(|reader| {
            reader.kind != Kind::Local
                && reader.reads.iter().any(|read| {
                    let source = case.things.iter().find(|thing| thing.name == read.of);
                    let crosses = source.is_some_and(|source| {
                        source.repeat == Repeat::Count
                            && owner(source) != owner(reader)
                            && owner(reader).is_some()
                    });
                    crosses && read.text.contains("[*]")
                })
        })
    }

    /// A rewrite that loses whatever has one key alone.
    fn loses_single_keys(case: &Case) -> bool {
        case.plan().contains("move {")
    }

    fn smallest(fails: fn(&Case) -> bool) -> (u64, Case) {
        let mut seeds = 1..;
        let seed = seeds.find(|seed| fails(&case(*seed))).unwrap();
        (seed, shrink(case(seed), 10_000, fails))
    }

    #[test]
    fn a_broken_rewrite_is_shown_by_the_least_that_breaks() {
        let (seed, found) = smallest(forgets_splats);
        assert!(forgets_splats(&found), "seed {seed}");
        assert!(case(seed).things.len() > 5, "seed {seed} is small by itself");
        insta::assert_snapshot!(found.shown().replace(CHILD, "(the module that cases call)\n"), @r#"
        --- main.tf
        module "t2" {
          source = "./child"
          count = 3

          in = ["t2-${count.index}"]
        }

        resource "terraform_data" "t5" {

          input = ["t5", module.t2[*].id]
        }

        --- child/main.tf
        (the module that cases call)

        --- plan.hcl
        split "mono" {
          source { dir = "." }
          defaults {
            backend "local" { path = "STATES/${stack}.tfstate" }
            contract { store = "remote_state" }
          }
          stack "s1" {
            take = ["terraform_data.t5"]
          }

        }
        "#);
        let (_, found) = smallest(loses_single_keys);
        insta::assert_snapshot!(found.shown(), @r#"
        --- main.tf
        resource "terraform_data" "t2" {
          for_each = toset(["a", "b.c", "d \"e"])

          input = ["${each.key} of ${each.value}"]
        }


        --- plan.hcl
        split "mono" {
          source { dir = "." }
          defaults {
            backend "local" { path = "STATES/${stack}.tfstate" }
            contract { store = "remote_state" }
          }
          stack "s1" {
            take = ["terraform_data.t2[\"a\"]"]
            move {
              from = "terraform_data.t2[\"a\"]"
              to = "terraform_data.t2"
            }
          }

        }
        "#);
    }

    #[test]
    fn what_is_shrunk_names_nothing_that_is_gone() {
        for seed in 1..200 {
            for smaller in case(seed).smaller() {
                let names = smaller.names();
                let reads = smaller
                    .things
                    .iter()
                    .flat_map(|thing| &thing.reads)
                    .chain(&smaller.outputs);
                for read in reads {
                    assert!(names.contains(read.of.as_str()), "seed {seed}: {read:?}");
                }
                assert!(!smaller.shown().contains("ROOT"), "seed {seed}");
            }
        }
    }

    #[test]
    fn shrinking_ends_where_nothing_fails_or_time_is_up() {
        let start = case(3);
        assert_eq!(shrink(start.clone(), 1000, |_| false), start);
        assert_eq!(shrink(start.clone(), 0, |_| true), start);
        assert!(shrink(start, 1000, |_| true).things.is_empty());
    }
}
