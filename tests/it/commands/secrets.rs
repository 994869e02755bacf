//! What a state holds reaches nothing but states.

use std::fs;

use super::{Desk, Ended, PLAN, STATE, content};

const SECRET: &str = "s3cr3t-of-the-shop";

#[test]
fn secrets_of_a_state_reach_nothing_but_states() {
    let desk = Desk::new();
    let planted = plant(&fs::read_to_string(desk.path(STATE)).unwrap());
    assert!(planted.matches(SECRET).count() > 2_000);
    fs::write(desk.path(STATE), planted).unwrap();
    let split = ["split", "testdata/acme", "--plan", PLAN, "--out", "out"];
    let mut said = String::new();
    for format in ["text", "json", "markdown"] {
        said.push_str(&success(
            &desk,
            &[&split[..], &["-v", "--format", format]].concat(),
        ));
        said.push_str(&success(
            &desk,
            &["inspect", "testdata/acme", "-v", "--format", format],
        ));
    }
    for format in ["dot", "mermaid", "json"] {
        said.push_str(&success(
            &desk,
            &["graph", "testdata/acme", "--plan", PLAN, "--format", format],
        ));
    }
    let mut kept = 0;
    for (path, bytes) in content(&desk.path("out")) {
        let text = String::from_utf8_lossy(&bytes);
        if path.extension().is_some_and(|ending| ending == "tfstate") {
            kept += text.matches(SECRET).count();
        } else {
            said.push_str(&text);
        }
    }
    assert!(said.len() > 10_000 && !said.contains(SECRET));
    assert!(kept > 2_000, "the states still hold what they held");
}

/// A refusal shows where a fault is, and not what stands there.
#[test]
fn refusals_show_no_secrets() {
    let desk = Desk::new();
    let state = plant(&fs::read_to_string(desk.path(STATE)).unwrap());
    let faults: [(&str, String); 6] = [
        (
            "\"schema_version\": 0,",
            format!("\"schema_version\": \"{SECRET}\","),
        ),
        (
            "\"sensitive_attributes\": []",
            format!("\"sensitive_attributes\": \"{SECRET}\""),
        ),
        ("\"private\": \"", format!("\"private\": {SECRET}\"")),
        ("\"attributes\": {", format!("\"attributes\": {{ {SECRET}")),
        ("\"serial\": ", format!("\"serial\": \"{SECRET}\", \"later\": ")),
        (
            "\"check_results\": ",
            format!("\"check_results\": \"{SECRET}\", \"later\": "),
        ),
    ];
    for (from, to) in faults {
        let damaged = state.replacen(from, &to, 1);
        assert_ne!(damaged, state, "{from}");
        fs::write(desk.path(STATE), damaged).unwrap();
        let Ended(code, stdout, stderr) = desk.split();
        let shown = format!("{stdout}{stderr}");
        if code == 0 {
            // Not a fault to Terraform either.
            assert!(!shown.contains(SECRET), "{from}");
            continue;
        }
        assert!(!shown.contains(SECRET), "{from}: {shown}");
        assert!(
            stderr.contains("at testdata/acme/terraform.tfstate:"),
            "{from}: {stderr}"
        );
    }
}

fn success(desk: &Desk, args: &[&str]) -> String {
    let Ended(code, stdout, stderr) = desk.run(args);
    assert_eq!(code, 0, "{args:?}: {stderr}");
    stdout + &stderr
}

/// Puts a secret into every value of every object and output, and into fields that nobody knows.
fn plant(state: &str) -> String {
    let mut planted = String::new();
    let mut inside = None;
    for line in state.lines() {
        let indent = line.len() - line.trim_start().len();
        match inside {
            None if line.ends_with("\"attributes\": {") || line.trim_start() == "\"outputs\": {" => {
                inside = Some(indent);
            }
            Some(outer) if indent == outer => inside = None,
            _ => {}
        }
        let is_value = inside.is_some() && !line.contains("\"type\": ") && !is_type_list(line);
        let end = line.trim_end_matches(',');
        match end.strip_suffix('"').filter(|_| is_value && end.contains(": \"")) {
            Some(value) => planted.push_str(&format!("{value}{SECRET}\"{}", &line[end.len()..])),
            None => planted.push_str(line),
        }
        planted.push('\n');
    }
    planted = planted.replace(
        "          \"schema_version\": ",
        &format!("          \"novel\": \"{SECRET}\",\n          \"schema_version\": "),
    );
    planted = planted.replacen(
        "\"check_results\"",
        &format!("\"novel\": \"{SECRET}\",\n  \"check_results\""),
        1,
    );
    // `private` is base64 of what the provider likes to remember.
    planted.replace("\"private\": \"", &format!("\"private\": \"{SECRET}"))
}

/// A line of an output's type is not a value.
fn is_type_list(line: &str) -> bool {
    let trimmed = line.trim().trim_end_matches(',');
    matches!(
        trimmed,
        "\"string\"" | "\"number\"" | "\"bool\"" | "\"list\"" | "\"map\"" | "\"object\"" | "\"tuple\""
    )
}
