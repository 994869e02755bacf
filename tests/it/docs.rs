//! The documents say what the code says.

use std::fs;
use std::path::Path;

use stackcut::error::Exit;

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
