//! A part of a page that is written anew: what stands between two marks, which HTML does not show.

use anyhow::{Context as _, ensure};

/// The page with another body between the marks of this name.
///
/// # Errors
/// The page does not have both marks once, in order.
pub fn replace(page: &str, name: &str, body: &str) -> anyhow::Result<String> {
    let (from, to) = (format!("<!-- evaluation: {name} -->"), format!("<!-- end of evaluation: {name} -->"));
    for mark in [&from, &to] {
        ensure!(page.matches(mark.as_str()).count() == 1, "it does not have the line `{mark}` once");
    }
    let (before, rest) = page.split_once(&from).context("it was there")?;
    let (_, after) = rest.split_once(&to).with_context(|| format!("`{to}` stands before `{from}`"))?;
    Ok(format!("{before}{from}\n{}\n{to}{after}", body.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Page\n\n<!-- evaluation: names -->\nold\nlines\n<!-- end of evaluation: names -->\n\nend\n";

    #[test]
    fn what_stands_between_the_marks_is_written_anew_and_nothing_else() {
        let page = replace(PAGE, "names", "new\n").expect("it has both");
        assert_eq!(page, PAGE.replace("old\nlines", "new"));
        assert_eq!(replace(&page, "names", "new").expect("still"), page);
    }

    #[test]
    fn a_page_without_its_marks_is_left_alone() {
        assert!(replace(PAGE, "documents", "new").is_err());
        assert!(replace(&PAGE.repeat(2), "names", "new").is_err());
        assert!(replace(&PAGE.replace(" end of", "").replacen("<!-- ", "<!-- end of ", 1), "names", "new").is_err());
    }

    #[test]
    fn the_readme_has_a_place_for_either_table() {
        for name in ["documents", "names"] {
            replace(include_str!("../../../README.md"), name, "new").expect("the place is there");
        }
    }
}
