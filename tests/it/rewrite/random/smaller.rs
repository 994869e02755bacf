//! The cases that are one step smaller than another.

use super::case::{Case, Extra, Form, Keys, Owner, Read, Repeat};

impl Case {
    /// Returns the case without a thing, and without everything that names it.
    fn without(&self, name: &str) -> Self {
        let mut case = self.clone();
        case.things.retain(|thing| thing.name != name);
        case.outputs.retain(|read| read.of != name);
        for thing in &mut case.things {
            thing.reads.retain(|read| read.of != name);
            if thing.repeat == Repeat::Each(Keys::Chained(name.to_owned())) {
                thing.repeat = Repeat::Each(Keys::Set);
            }
            let names_it = match &thing.extra {
                Some(Extra::DependsOn(other)) => other == name,
                Some(Extra::Precondition(read)) => read.of == name,
                _ => false,
            };
            if names_it {
                thing.extra = None;
            }
        }
        case
    }

    /// Returns every case that is one step smaller, the largest steps first.
    pub fn smaller(&self) -> Vec<Self> {
        let mut found = Vec::new();
        let mut with = |edit: &dyn Fn(&mut Self)| {
            let mut case = self.clone();
            edit(&mut case);
            found.push(case);
        };
        for thing in &self.things {
            with(&|case| *case = case.without(&thing.name));
        }
        // What a stack has stays in the monolith.
        for stack in 0..self.stacks {
            with(&|case| case.keep(stack));
        }
        for at in 0..self.outputs.len() {
            with(&|case| drop(case.outputs.remove(at)));
        }
        for (at, thing) in self.things.iter().enumerate() {
            for read in 0..thing.reads.len() {
                with(&|case| drop(case.things[at].reads.remove(read)));
            }
            with(&|case| case.things[at].extra = None);
            with(&|case| case.things[at].form = Form::List);
            with(&|case| case.things[at].owner = Owner::Whole(None));
            if let Owner::Keys(keys) = &thing.owner {
                for key in 0..keys.len() {
                    with(&|case| {
                        if let Owner::Keys(keys) = &mut case.things[at].owner {
                            keys[key] = (None, false);
                        }
                    });
                }
                with(&|case| case.things[at].owner = Owner::Whole(keys[0].0));
            }
            // Who reads an instance needs the repetition.
            if !self.is_read(&thing.name) && matches!(thing.owner, Owner::Whole(_)) {
                let own = |read: &Read| read.text.contains("each.") || read.text.contains("count.");
                with(&|case| {
                    case.things[at].repeat = Repeat::No;
                    case.things[at].reads.retain(|read| !own(read));
                });
            }
            if let Repeat::Each(_) = thing.repeat {
                with(&|case| case.things[at].repeat = Repeat::Each(Keys::Set));
            }
        }
        found.retain(|case| case != self);
        found
    }

    fn keep(&mut self, stack: usize) {
        for thing in &mut self.things {
            match &mut thing.owner {
                Owner::Whole(owner) if *owner == Some(stack) => *owner = None,
                Owner::Keys(keys) => {
                    for key in keys.iter_mut().filter(|(owner, _)| *owner == Some(stack)) {
                        *key = (None, false);
                    }
                }
                Owner::Whole(_) => {}
            }
        }
    }

    fn is_read(&self, name: &str) -> bool {
        let chained = Repeat::Each(Keys::Chained(name.to_owned()));
        self.outputs.iter().any(|read| read.of == name)
            || self
                .things
                .iter()
                .any(|thing| thing.repeat == chained || thing.all_reads().any(|read| read.of == name))
    }
}
