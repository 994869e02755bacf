//! The index over patterns: it finds what trying every pattern would find, and the work stays linear.

use std::time::Instant;

use super::*;
use crate::address::{InstanceKey, ModuleInstanceAddr, ModuleStep, ResourceAddr, ResourceMode};

/// What the index finds is what trying every pattern would find.
#[test]
fn the_index_loses_nothing() {
    let patterns = [
        "aws_x.y",
        "aws_*.y",
        "aws_x.*",
        "*.*",
        "**",
        "module.a",
        "module.*",
        "module.a.**",
        "module.a[0]",
        "module.a[\"k\"].aws_x.y",
        "module.a[\"*\"].aws_x.y",
        "module.a.module.b.aws_x.y",
        "data.aws_x.y",
        "data.*.*",
        "module.a.data.aws_x.y",
        "module.a.aws_x.y[0]",
        "aws_x.y[\"a.b\"]",
        "module.*.module.b",
        "m*.y",
        "d*.y",
        "aws_x.y*",
        "aws_x.*z",
        "module.a[\"x y\"]",
        "**.aws_x.y",
        "module.a.*.y",
        "module.a.module.b.module.c.module.d.module.e",
        "module.a.module.b.module.c.module.d.module.e.aws_x.y",
        "module.a.module.b.module.c.module.d.**",
    ];
    let parsed: Vec<(crate::address::pattern::Pattern, &str)> = patterns
        .iter()
        .filter_map(|text| Some((text.parse().ok()?, *text)))
        .collect();
    assert!(parsed.len() > patterns.len() / 2, "most of them are patterns");
    let index = Index::new(
        parsed
            .iter()
            .enumerate()
            .map(|(at, (pattern, text))| (at, Some((pattern, *text)))),
    );
    for module in [
        "",
        "module.a.",
        "module.a[0].",
        "module.a[\"k\"].",
        "module.a[\"x y\"].",
        "module.b.",
        "module.a.module.b.",
        "module.a[0].module.b[\"k\"].",
        "module.z.module.b.",
        "module.a.module.b.module.c.module.d.",
        "module.a.module.b.module.c.module.d.module.e.",
        "module.a[0].module.b.module.c.module.d.module.e.module.f.",
    ] {
        for resource in [
            "aws_x.y",
            "aws_x.y[0]",
            "aws_x.y[\"a.b\"]",
            "data.aws_x.y",
            "m_x.y",
            "d.y",
            "aws_x.yz",
            "module_x.y",
        ] {
            let instance: ResourceInstanceAddr = format!("{module}{resource}").parse().unwrap();
            let mut found = Vec::new();
            index.matches(&instance, &mut found);
            found.sort_unstable();
            let expected: Vec<usize> = (0..parsed.len())
                .filter(|&at| parsed[at].0.matches(&instance))
                .collect();
            assert_eq!(found, expected, "{instance}");
        }
    }
}

/// The work grows with the number of instances: ten times as many take about ten times as long.
#[test]
fn the_work_is_linear_in_the_instances() {
    let mut text = SOURCE.to_owned();
    for stack in 0..100 {
        text.push_str(&format!(
            "  stack \"s{stack}\" {{\n    take = [\"module.service[\\\"s{stack}\\\"]\", \"aws_iam_role.s{stack}-*\", \"aws_x.s{stack}\", \"aws_sns_*.s{stack}-*\"]\n  }}\n"
        ));
    }
    let plan = plan(&text);
    let time = |count: usize| {
        let instances = (0..count).map(|at| {
            let name = format!("s{}", at % 100);
            let keyed = |key: &str| ModuleStep {
                name: "service".to_owned(),
                key: Some(InstanceKey::Str(key.to_owned())),
            };
            let mut resource = ResourceAddr {
                module: ModuleInstanceAddr::root(),
                mode: ResourceMode::Managed,
                type_name: "aws_iam_role".to_owned(),
                name: format!("{name}-{at}"),
            };
            match at / 100 % 4 {
                0 => resource.module.0.push(keyed(&name)),
                1 => "aws_sns_topic".clone_into(&mut resource.type_name),
                2 => {
                    "aws_x".clone_into(&mut resource.type_name);
                    resource.name = name;
                    return resource.instance(Some(InstanceKey::Int(at as u64)));
                }
                _ => {}
            }
            resource.instance(None)
        });
        let inventories = BTreeMap::from([(
            id("source:acme"),
            Inventory {
                instances: instances.collect(),
                ..Inventory::default()
            },
        )]);
        let start = Instant::now();
        let found = assign(&plan, &inventories)
            .map_err(|found| shown(&found))
            .unwrap();
        assert_eq!(found.instances.len(), count);
        start.elapsed()
    };
    let (small, large) = (time(20_000), time(200_000));
    assert!(
        large < small * 25 + std::time::Duration::from_millis(200),
        "{small:?} {large:?}"
    );
    println!("20 000: {small:?}, 200 000: {large:?}");
}
