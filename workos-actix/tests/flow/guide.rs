//! The guide names tests: all of them are there.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the tests are whose file names begin so.
const PLACES: [(&str, &str); 4] = [
    ("flow/", "tests/flow/"),
    ("src/", "src/"),
    ("it/", "../tests/it/"),
    ("node/", "../tests/node/"),
];

/// `file: name` in backticks, where the file is a test's.
fn named_tests(page: &str) -> Vec<(PathBuf, String)> {
    let code = page.split('`').skip(1).step_by(2);
    code.filter_map(|code| {
        let (file, name) = code.split_once(": ")?;
        let (prefix, folder) = PLACES.iter().find(|(prefix, _)| file.starts_with(prefix))?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        Some((folder.join(&file[prefix.len()..]), name.to_owned()))
    })
    .collect()
}

#[test]
fn the_tests_that_prove_the_guide_exist() {
    let pages = [
        (include_str!("../../docs/security.md"), 60),
        (include_str!("../../docs/from_authkit_nextjs.md"), 15),
    ];
    for (page, at_least) in pages {
        let tests = named_tests(page);
        assert!(tests.len() >= at_least, "{} tests are named", tests.len());
        for (file, name) in tests {
            let source =
                fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            assert!(
                source.contains(&format!("fn {name}()")),
                "{}: {name}",
                file.display()
            );
        }
    }
}

#[test]
fn every_row_of_the_comparison_is_there() {
    let page = include_str!("../../docs/from_authkit_nextjs.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    let numbers: Vec<u32> = rows.filter_map(|(number, _)| number.parse().ok()).collect();
    assert_eq!(numbers, (1..=38).collect::<Vec<_>>());
}
