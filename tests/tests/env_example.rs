//! deploy/.env.example against the table of settings.

use std::collections::BTreeMap;

use harness::services::checkout;
use shared::settings::TABLE;

/// Name, value and whether the line is a comment, of each setting in the file.
fn lines(text: &str) -> BTreeMap<&str, (&str, bool)> {
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.trim_start_matches('#').split_once('=')?;
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            is_name.then_some((name, (value, line.starts_with('#'))))
        })
        .collect()
}

fn example() -> String {
    std::fs::read_to_string(checkout().join("deploy/.env.example")).expect("the example is there")
}

#[test]
fn every_setting_is_in_the_example_with_its_default() {
    let text = example();
    let lines = lines(&text);
    for setting in TABLE {
        let Some((value, commented)) = lines.get(setting.name) else {
            panic!("{} is missing in deploy/.env.example", setting.name);
        };
        if *commented {
            assert_eq!(*value, setting.default, "the default of {}", setting.name);
        }
    }
}

#[test]
fn the_example_has_no_setting_that_nothing_reads() {
    let text = example();
    for name in lines(&text).keys().filter(|name| !name.starts_with("AWS_")) {
        assert!(TABLE.iter().any(|setting| setting.name == *name), "{name} is not a setting");
    }
}
