//! The rules of `terraform state mv`, one by one, and what goes beyond them.

use super::*;

const MONOLITH: &str = r#"
    aws_a.one -
    aws_a.other -
    aws_a.list 0,1,2
    aws_a.map "k","x.y"
    aws_b.one -
    aws_a.husk
    data.aws_a.one -
    module.m.aws_a.one -
    module.m.module.n["k"].aws_a.one -
    module.fe["x"].aws_a.one -
    module.fe["y"].aws_a.one -
"#;

fn run() -> Run {
    Run::new(&[
        ("Mono", MONOLITH),
        ("full", "aws_a.list 5\naws_a.there -\nmodule.m.aws_b.there -"),
    ])
}

#[test]
fn allowed() {
    for (lines, expected) in [
        (
            "Mono:aws_a.one -> new:aws_a.one",
            "new:\naws_a.one was aws_a.one -\n",
        ),
        (
            "Mono:aws_a.one -> new:aws_a.b[0]",
            "new:\naws_a.b[0] was aws_a.one -\n",
        ),
        (
            "Mono:aws_a.one -> new:aws_a.b[\"x\"]",
            "new:\naws_a.b[\"x\"] was aws_a.one -\n",
        ),
        (
            "Mono:aws_a.list[1] -> new:aws_a.b",
            "new:\naws_a.b was aws_a.list 1\n",
        ),
        (
            "Mono:aws_a.list[1] -> new:aws_a.b[\"x\"]",
            "new:\naws_a.b[\"x\"] was aws_a.list 1\n",
        ),
        (
            "Mono:aws_a.map[\"x.y\"] -> new:aws_a.b[7]",
            "new:\naws_a.b[7] was aws_a.map \"x.y\"\n",
        ),
        (
            "Mono:aws_a.list -> new:module.q[\"a.b\"].aws_a.b",
            "new:\nmodule.q[\"a.b\"].aws_a.b[0] was aws_a.list 0\nmodule.q[\"a.b\"].aws_a.b[1] was aws_a.list 1\nmodule.q[\"a.b\"].aws_a.b[2] was aws_a.list 2\n",
        ),
        ("Mono:aws_a.husk -> new:aws_a.h2", "new:\naws_a.h2\n"),
        (
            "Mono:data.aws_a.one -> new:data.aws_a.two",
            "new:\ndata.aws_a.two was data.aws_a.one -\n",
        ),
        (
            "Mono:module.m -> new:module.z",
            "new:\nmodule.z.aws_a.one was module.m.aws_a.one -\nmodule.z.module.n[\"k\"].aws_a.one was module.m.module.n[\"k\"].aws_a.one -\n",
        ),
        (
            "Mono:module.fe[\"x\"] -> new:module.g",
            "new:\nmodule.g.aws_a.one was module.fe[\"x\"].aws_a.one -\n",
        ),
        (
            "Mono:module.m.module.n[\"k\"] -> new:module.n",
            "new:\nmodule.n.aws_a.one was module.m.module.n[\"k\"].aws_a.one -\n",
        ),
        (
            "Mono:module.m.aws_a.one -> new:aws_a.one",
            "new:\naws_a.one was module.m.aws_a.one -\n",
        ),
        // An instance joins a resource that exists, whatever its keys are.
        (
            "Mono:aws_a.one -> full:aws_a.list[0]",
            "full:\naws_a.list[0] was aws_a.one -\naws_a.list[5] was aws_a.list 5\naws_a.there was aws_a.there -\nmodule.m.aws_b.there was module.m.aws_b.there -\n",
        ),
        (
            "Mono:aws_a.list[2] -> full:aws_a.list",
            "full:\naws_a.list was aws_a.list 2\naws_a.list[5] was aws_a.list 5\naws_a.there was aws_a.there -\nmodule.m.aws_b.there was module.m.aws_b.there -\n",
        ),
        // A resource into a module that exists.
        (
            "Mono:module.m.aws_a.one -> full:module.m.aws_a.one",
            "full:\naws_a.list[5] was aws_a.list 5\naws_a.there was aws_a.there -\nmodule.m.aws_a.one was module.m.aws_a.one -\nmodule.m.aws_b.there was module.m.aws_b.there -\n",
        ),
    ] {
        let moved = run().moved(lines);
        let target = moved.split("Mono:\n").find(|part| !part.is_empty()).unwrap();
        let target = moved
            .find(expected.lines().next().unwrap())
            .map_or(target, |start| &moved[start..]);
        assert_eq!(target, expected, "{lines}");
    }
}

#[test]
fn a_moved_resource_leaves_no_trace() {
    let moved = run().moved("Mono:aws_a.list -> new:aws_a.list\nMono:module.m -> other:module.m");
    let source = moved.split("new:\n").next().unwrap();
    assert!(source.starts_with("Mono:\n"));
    assert!(
        !source.contains("list") && !source.contains("module.m."),
        "{source}"
    );
    assert_eq!(source.lines().count(), 10);
}

#[test]
fn refused() {
    for (lines, message) in [
        (
            "Mono:aws_a.one -> new:aws_b.x",
            "aws_a.one (in Mono) cannot become aws_b.x (in new): the resource types differ",
        ),
        (
            "Mono:data.aws_a.one -> new:aws_a.x",
            "data.aws_a.one (in Mono) cannot become aws_a.x (in new): one is a managed resource, the other a data source",
        ),
        (
            "Mono:aws_a.one -> Mono:aws_a.other",
            "aws_a.one (in Mono) cannot move to aws_a.other (in Mono): there is an instance already",
        ),
        (
            "Mono:aws_a.one -> Mono:aws_a.list[1]",
            "aws_a.one (in Mono) cannot move to aws_a.list[1] (in Mono): there is an instance already",
        ),
        (
            "Mono:aws_a.list[1] -> full:aws_a.list[5]",
            "aws_a.list[1] (in Mono) cannot move to aws_a.list[5] (in full): there is an instance already",
        ),
        (
            "Mono:aws_a.nope -> new:aws_a.nope",
            "nothing is at aws_a.nope (in Mono)",
        ),
        (
            "new:aws_a.one -> Mono:aws_a.nope",
            "nothing is at aws_a.one (in new)",
        ),
        (
            "Mono:aws_a.list[7] -> new:aws_a.x",
            "nothing is at aws_a.list[7] (in Mono); there is `aws_a.list[0]`, `aws_a.list[1]`, `aws_a.list[2]`",
        ),
        (
            "Mono:module.fe -> new:module.fe",
            "nothing is at module.fe (in Mono); there is `module.fe[\"x\"]`, `module.fe[\"y\"]`",
        ),
        (
            "Mono:module.fe.aws_a.one -> new:aws_a.one",
            "nothing is at module.fe.aws_a.one (in Mono); there is `module.fe[\"x\"].aws_a.one`, `module.fe[\"y\"].aws_a.one`",
        ),
        (
            "Mono:aws_a.list -> new:aws_a.x[0]",
            "aws_a.list (in Mono) is a whole resource with 3 instances, so its target must be a whole resource too, not aws_a.x[0] (in new); name one instance, as `aws_a.list[0]`",
        ),
        (
            "Mono:module.m -> full:module.m",
            "module.m (in Mono) cannot move to module.m (in full): there is a module at that address already; move its resources one by one to join it",
        ),
        (
            "Mono:module.m -> new:aws_a.one",
            "module.m (in Mono) cannot become aws_a.one (in new): one is a module, the other a resource",
        ),
        (
            "Mono:aws_a.one -> new:module.m",
            "aws_a.one (in Mono) cannot become module.m (in new): one is a module, the other a resource",
        ),
        (
            "Mono:aws_a.one -> Mono:aws_a.one",
            "aws_a.one (in Mono) is moved to where it is",
        ),
        ("Gone:aws_a.one -> Mono:aws_a.x", "no state is named `Gone` here"),
        (
            "Mono:aws_a.one -> new:aws_a.x[0]\nMono:aws_a.other -> new:aws_a.x[0]",
            "aws_a.other (in Mono) cannot move to aws_a.x[0] (in new): there is an instance already, or goes there in the same run: aws_a.one (in Mono)",
        ),
        (
            "Mono:aws_a.one -> new:aws_a.x\nMono:aws_a.other -> new:aws_a.x",
            "aws_a.other (in Mono) cannot move to aws_a.x (in new): there is an instance already, or goes there in the same run: aws_a.one (in Mono)",
        ),
        (
            "Mono:aws_a.husk -> full:aws_a.there",
            "aws_a.husk (in Mono) cannot move to aws_a.there (in full): there is a resource at that address already; move single instances to join it",
        ),
    ] {
        assert_eq!(run().refused(lines), message, "{lines}");
    }
    let mut request = requests("Mono:module.m -> new:module.m");
    request[0].to.addr = MoveableAddr::Module(crate::address::ModuleInstanceAddr::root());
    let error = resolve(&run().states(), &request).unwrap_err();
    assert!(matches!(error, MoveError::RootModule { .. }), "{error}");
}

/// A journal holds addresses: what could not be found by its own is not moved, and what stays may be as it is.
#[test]
fn what_cannot_be_written_down_stays() {
    let text = state("aws_a.one -\naws_a.other -").replace("\"other\"", "\"an other\"");
    let snapshot = read(&text);
    let states: States<'_> = [(id("Mono"), StateInput::Existing(&snapshot))].into();
    let odd = snapshot.instances().nth(1).unwrap().addr();
    let moved = |from: &ResourceInstanceAddr, name: &str| {
        let mut to = from.clone();
        to.resource.name = name.to_owned();
        let changes = Changes {
            instances: vec![InstanceMove {
                from: At::new(id("Mono"), from.clone()),
                to: At::new(id("Mono"), to),
                provider: ProviderChoice::Keep,
            }],
            ..Changes::default()
        };
        apply(&states, &changes).err().map(|error| error.to_string())
    };
    let refused = Some(
        "aws_a.an other (in Mono) cannot be moved: its name or key is none that a configuration can have"
            .to_owned(),
    );
    assert_eq!(moved(&odd, "third"), refused);
    let one = snapshot.instances().next().unwrap().addr();
    assert_eq!(moved(&one, "third"), None);
}

#[test]
fn swaps_and_chains() {
    let run = Run::new(&[(
        "Mono",
        "aws_a.a -\naws_a.b -\naws_a.c 0,1\nmodule.x.aws_a.a -\nmodule.y.aws_a.a -",
    )]);
    for (lines, expected) in [
        (
            "Mono:aws_a.a -> Mono:aws_a.b\nMono:aws_a.b -> Mono:aws_a.a",
            "aws_a.a was aws_a.b -\naws_a.b was aws_a.a -\naws_a.c[0] was aws_a.c 0\naws_a.c[1] was aws_a.c 1\nmodule.x.aws_a.a was module.x.aws_a.a -\nmodule.y.aws_a.a was module.y.aws_a.a -\n",
        ),
        (
            "Mono:module.x -> Mono:module.y\nMono:module.y -> Mono:module.x\nMono:aws_a.c[0] -> Mono:aws_a.c[1]\nMono:aws_a.c[1] -> Mono:aws_a.c[0]",
            "aws_a.a was aws_a.a -\naws_a.b was aws_a.b -\naws_a.c[0] was aws_a.c 1\naws_a.c[1] was aws_a.c 0\nmodule.x.aws_a.a was module.y.aws_a.a -\nmodule.y.aws_a.a was module.x.aws_a.a -\n",
        ),
        // A chain: what moved moves on, also inside a module.
        (
            "Mono:aws_a.a -> Mono:aws_a.z\nMono:aws_a.z -> Mono:aws_a.zz\nMono:module.x -> Mono:module.w\nMono:module.w.aws_a.a -> Mono:aws_a.a",
            "aws_a.a was module.x.aws_a.a -\naws_a.b was aws_a.b -\naws_a.c[0] was aws_a.c 0\naws_a.c[1] was aws_a.c 1\naws_a.zz was aws_a.a -\nmodule.y.aws_a.a was module.y.aws_a.a -\n",
        ),
        // A rotation of three, and a resource renamed with what has just joined it.
        (
            "Mono:aws_a.a -> Mono:aws_a.c[7]\nMono:aws_a.c -> Mono:aws_a.d\nMono:aws_a.b -> Mono:aws_a.a",
            "aws_a.a was aws_a.b -\naws_a.d[0] was aws_a.c 0\naws_a.d[1] was aws_a.c 1\naws_a.d[7] was aws_a.a -\nmodule.x.aws_a.a was module.x.aws_a.a -\nmodule.y.aws_a.a was module.y.aws_a.a -\n",
        ),
        ("Mono:aws_a.a -> Mono:aws_a.z\nMono:aws_a.z -> Mono:aws_a.a", ""),
    ] {
        let moved = run.moved(lines);
        assert_eq!(moved.trim_start_matches("Mono:\n"), expected, "{lines}");
    }
}

#[test]
fn dependencies_follow() {
    let run = Run::new(&[(
        "Mono",
        "aws_a.base -\naws_a.net 0,1\naws_a.none - < aws_a.gone\naws_a.user - < aws_a.base, aws_a.net, module.s.aws_a.q\nmodule.s[\"k\"].aws_a.q - < aws_a.base, aws_a.gone, aws_a.net",
    )]);
    // A rename in place: only lists that name it change, dangling entries stay.
    assert_eq!(
        run.moved("Mono:aws_a.base -> Mono:module.b.aws_a.base")
            .trim_start_matches("Mono:\n"),
        "aws_a.net[0] was aws_a.net 0\naws_a.net[1] was aws_a.net 1\naws_a.none was aws_a.none - < aws_a.gone\naws_a.user was aws_a.user - < aws_a.net, module.b.aws_a.base, module.s.aws_a.q\nmodule.b.aws_a.base was aws_a.base -\nmodule.s[\"k\"].aws_a.q was module.s[\"k\"].aws_a.q - < aws_a.gone, aws_a.net, module.b.aws_a.base\n"
    );
    // Into another state: what stays behind is cut, what dangled is dropped, who named it is cut too.
    insta::assert_snapshot!(run.moved("Mono:module.s[\"k\"] -> new:module.s[\"k\"]"), @r#"
        Mono:
        aws_a.base was aws_a.base -
        aws_a.net[0] was aws_a.net 0
        aws_a.net[1] was aws_a.net 1
        aws_a.none was aws_a.none - < aws_a.gone
        aws_a.user was aws_a.user - < aws_a.base, aws_a.net
        new:
        module.s["k"].aws_a.q was module.s["k"].aws_a.q -
        cut: aws_a.user (in Mono) from module.s.aws_a.q (in Mono): module.s.aws_a.q (in new)
        cut: module.s["k"].aws_a.q (in new) from aws_a.base (in Mono): aws_a.base (in Mono)
        cut: module.s["k"].aws_a.q (in new) from aws_a.net (in Mono): aws_a.net (in Mono)
        dropped: module.s["k"].aws_a.q (in new) Dangling aws_a.gone
    "#);
    // A part of a resource leaves.
    insta::assert_snapshot!(run.moved("Mono:aws_a.net[1] -> new:aws_a.net[1]"), @r#"
        Mono:
        aws_a.base was aws_a.base -
        aws_a.net[0] was aws_a.net 0
        aws_a.none was aws_a.none - < aws_a.gone
        aws_a.user was aws_a.user - < aws_a.base, aws_a.net, module.s.aws_a.q
        module.s["k"].aws_a.q was module.s["k"].aws_a.q - < aws_a.base, aws_a.gone, aws_a.net
        new:
        aws_a.net[1] was aws_a.net 1
        cut: aws_a.user (in Mono) from aws_a.net (in Mono): aws_a.net (in new), in part
        cut: module.s["k"].aws_a.q (in Mono) from aws_a.net (in Mono): aws_a.net (in new), in part
    "#);
}

#[test]
fn dependencies_never_close_a_ring() {
    // Two resources become one: the dependency between them would be on itself.
    let run = Run::new(&[("Mono", "aws_a.a -\naws_a.b - < aws_a.a")]);
    insta::assert_snapshot!(
        run.moved("Mono:aws_a.a -> Mono:aws_a.c[0]\nMono:aws_a.b -> Mono:aws_a.c[1]"), @r#"
        Mono:
        aws_a.c[0] was aws_a.a -
        aws_a.c[1] was aws_a.b -
        dropped: aws_a.c[1] (in Mono) ToItself aws_a.c
    "#
    );
    // a <- x <- b, and a and b become one: c <- x <- c.
    let run = Run::new(&[(
        "Mono",
        "aws_a.a -\naws_a.b - < aws_a.a, aws_a.x\naws_a.x - < aws_a.a\naws_a.y - < aws_a.b",
    )]);
    insta::assert_snapshot!(
        run.moved("Mono:aws_a.a -> Mono:aws_a.c[0]\nMono:aws_a.b -> Mono:aws_a.c[1]"), @r#"
        Mono:
        aws_a.c[0] was aws_a.a -
        aws_a.c[1] was aws_a.b -
        aws_a.x was aws_a.x -
        aws_a.y was aws_a.y - < aws_a.c
        dropped: aws_a.x (in Mono) Cycle aws_a.c
        dropped: aws_a.c[1] (in Mono) ToItself aws_a.c
        dropped: aws_a.c[1] (in Mono) Cycle aws_a.x
    "#
    );
    // A name that dangled must not come alive: b would depend on what depends on it.
    let run = Run::new(&[("Mono", "aws_a.b - < aws_a.x\naws_a.c - < aws_a.b")]);
    insta::assert_snapshot!(run.moved("Mono:aws_a.c -> Mono:aws_a.x"), @r#"
        Mono:
        aws_a.b was aws_a.b -
        aws_a.x was aws_a.c - < aws_a.b
        dropped: aws_a.b (in Mono) Dangling aws_a.x
    "#);
}
