//! Configuration read from real directories: awkward files, and the monolith against its own state.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stackcut::address::ResourceAddr;
use stackcut::config::{
    BackendInputs, BackendSetting, ConfigFile, Configuration, Item, LoadOptions, Mode, Target, Variables,
};
use stackcut::json;
use stackcut::source_tree::{MemoryTree, SourceTree};
use stackcut::workdir::WorkDir;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn load(tree: &dyn SourceTree) -> Configuration {
    match Configuration::load(tree, &LoadOptions::default()) {
        Ok(configuration) => configuration,
        Err(error) => panic!("{error}"),
    }
}

/// Cuts a file into its pieces and each block further into its arguments, and puts it together again.
fn check_reassembly(file: &ConfigFile) {
    let mut whole = String::new();
    for piece in file.pieces() {
        let Some(index) = piece.block else {
            whole.push_str(file.text(&piece.span));
            continue;
        };
        let mut at = piece.span.start;
        for attribute in &file.blocks[index].body.attributes {
            assert!(
                at <= attribute.full.start,
                "{}: {}",
                file.source.path,
                attribute.name
            );
            whole.push_str(file.text(&(at..attribute.full.start)));
            whole.push_str(file.text(&attribute.full));
            at = attribute.full.end;
        }
        whole.push_str(file.text(&(at..piece.span.end)));
    }
    assert_eq!(whole, file.source.text, "{}", file.source.path);
}

#[test]
fn awkward_files_are_read_and_keep_every_byte() {
    let mut count = 0;
    for entry in fs::read_dir(testdata("hcl")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let configuration = load(&MemoryTree::new().with("main.tf", &bytes));
        let file = &configuration.root().source.files[0];
        assert_eq!(file.source.text.as_bytes(), bytes);
        assert!(!file.blocks.is_empty(), "{}", path.display());
        check_reassembly(file);
        count += 1;
    }
    assert!(count >= 14, "testdata/hcl was not read");
}

#[test]
fn references_of_awkward_files_are_exact() {
    let references = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(testdata("hcl").join(name)).unwrap();
        let configuration = load(&MemoryTree::new().with("main.tf", text));
        let file = &configuration.root().source.files[0];
        let found = file.blocks.iter().flat_map(|block| &block.references);
        found
            .map(|reference| file.text(&reference.span).to_owned())
            .collect()
    };
    assert_eq!(
        references("legacy-index-and-splat.tf"),
        [
            "aws_instance.x.0.id",
            "aws_instance.x.*.id",
            "aws_instance.x.*.id[0]",
            "aws_instance.x[*].ebs[0].id",
        ]
    );
    assert_eq!(
        references("parse-newline-in-conditional-inside-for-object.tf"),
        ["local.c", "local.c"]
    );
    assert_eq!(references("unicode-identifiers.tf"), ["local.é"]);
    assert_eq!(
        references("roundtrip-escape-lost-CHANGES-VALUE.tf"),
        Vec::<String>::new()
    );
}

#[test]
fn the_monolith_is_read_whole() {
    let tree = WorkDir::new(testdata("acme"));
    let configuration = load(&tree);
    assert_eq!(configuration.diagnostics, []);
    for module in configuration.modules() {
        module.source.files.iter().for_each(check_reassembly);
        check_targets(&configuration, &module.source);
    }
    let variables = Variables::load(&tree, &["stage.tfvars".to_owned()]).unwrap();
    assert!(!variables.files[0].entries.is_empty());
}

/// Every reference of working code names something that is declared.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn check_targets(configuration: &Configuration, source: &stackcut::config::ModuleSource) {
    let declared: BTreeSet<&Item> = source.items().map(|(item, _)| item).collect();
    let mut count = 0;
    for (_, file, block) in source.blocks() {
        for reference in &block.references {
            let item = match &reference.target {
                Target::Resource {
                    mode,
                    type_name,
                    name,
                } => Item::Resource {
                    mode: *mode,
                    type_name: type_name.clone(),
                    name: name.clone(),
                },
                Target::Module { name, output } => {
                    let call = Item::Module(name.clone());
                    if let Some(output) = output {
                        let module = configuration
                            .modules()
                            .find(|module| std::ptr::eq(&*module.source, source))
                            .unwrap();
                        let child = configuration.module(&module.child(name)).unwrap();
                        let output = Item::Output(output.clone());
                        assert!(
                            !child.source.declarations(&output).is_empty(),
                            "{output:?} of {name}"
                        );
                    }
                    call
                }
                Target::Var(name) => Item::Variable(name.clone()),
                Target::Local(name) => Item::Local(name.clone()),
                _ => continue,
            };
            let at = file.source.position(reference.span.start);
            assert!(
                declared.contains(&item),
                "{}:{}: {item:?}",
                file.source.path,
                at.line
            );
            count += 1;
        }
    }
    assert!(count > 0 || source.files.iter().all(|file| !file.source.text.contains("var.")));
}

#[test]
fn resources_and_providers_agree_with_the_monoliths_state() {
    let configuration = load(&WorkDir::new(testdata("acme")));
    let text = fs::read_to_string(testdata("acme/terraform.tfstate")).unwrap();
    let state = json::parse(&text).unwrap();
    let mut in_state = BTreeSet::new();
    let resources = state.get("resources").and_then(json::Node::elements).unwrap();
    assert!(resources.len() > 50);
    for entry in resources {
        let field = |name: &str| entry.get(name).and_then(json::Node::as_str);
        let module = field("module")
            .map(|module| format!("{module}."))
            .unwrap_or_default();
        let data = if field("mode") == Some("data") {
            "data."
        } else {
            ""
        };
        let address = format!(
            "{module}{data}{}.{}",
            field("type").unwrap(),
            field("name").unwrap()
        );
        let resource: ResourceAddr = address.parse().unwrap();
        let provider = configuration.provider_for(&resource.config()).unwrap();
        assert_eq!(provider.to_string(), field("provider").unwrap(), "{address}");
        in_state.insert(resource.config());
    }
    // The other way round: what the code declares is in the state, but for what has no instances.
    for module in configuration.modules() {
        for (item, _) in module.source.items() {
            if let Item::Resource {
                mode: Mode::Managed,
                type_name,
                name,
            } = item
            {
                let known = in_state.iter().any(|one| {
                    one.module == module.address && one.type_name == *type_name && one.name == *name
                });
                assert!(
                    known,
                    "{}.{type_name}.{name} is not in the state",
                    module.address.0.join(".")
                );
            }
        }
    }
}

#[test]
fn a_partial_backend_is_completed_by_its_settings_file() {
    let tree = WorkDir::new(testdata("acme"));
    let configuration = load(&tree);
    let block = configuration
        .backend(&tree, &BackendInputs::default())
        .unwrap()
        .location;
    assert_eq!(block.arguments["key"], "acme/prod/acme.tfstate");
    let inputs = BackendInputs {
        settings: vec![BackendSetting::File("stage.s3.tfbackend".to_owned())],
        workspace: Some("blue".to_owned()),
        ..BackendInputs::default()
    };
    let found = configuration.backend(&tree, &inputs).unwrap().location;
    assert_eq!((found.backend.as_str(), found.workspace.as_str()), ("s3", "blue"));
    assert_eq!(found.arguments["key"], "acme/stage/acme.tfstate");
    assert_eq!(found.arguments["bucket"], block.arguments["bucket"]);
}

#[test]
fn many_large_files_are_parsed_in_their_order() {
    let mut tree = MemoryTree::new();
    let mut expected = Vec::new();
    for file in 0..12 {
        let text: String = (0..2000)
            .map(|n| format!("output \"f{file}_{n}\" {{\n  value = var.v\n}}\n"))
            .collect();
        let name = format!("{file:02}.tf");
        tree = tree.with(&name, text);
        expected.push(name);
    }
    let configuration = load(&tree);
    let source = &configuration.root().source;
    let names: Vec<&str> = source.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, expected);
    assert_eq!(source.items().count(), 24_000);
}
