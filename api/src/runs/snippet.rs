//! What stands around a hit, as a listing shows it: text that may stand in a page of HTML as it is, with the words
//! that were looked for between `<mark>` and `</mark>`.

use shared::store::search::{HIT_BEGINS, HIT_ENDS};

/// Makes it of what the store answers. Whatever the document says is text: no tag but ours is one.
#[must_use]
pub fn marked(found: &str) -> String {
    let mut snippet = String::with_capacity(found.len() + 32);
    for word in found.split_whitespace() {
        if !snippet.is_empty() {
            snippet.push(' ');
        }
        for sign in word.chars() {
            match sign {
                HIT_BEGINS => snippet.push_str("<mark>"),
                HIT_ENDS => snippet.push_str("</mark>"),
                '&' => snippet.push_str("&amp;"),
                '<' => snippet.push_str("&lt;"),
                '>' => snippet.push_str("&gt;"),
                '"' => snippet.push_str("&quot;"),
                '\'' => snippet.push_str("&#39;"),
                other => snippet.push(other),
            }
        }
    }
    snippet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_cannot_bring_tags_of_its_own() {
        let found = format!("<b>{HIT_BEGINS}Отпуск{HIT_ENDS} &\n  \"Ромашка\"</b>");
        assert_eq!(marked(&found), "&lt;b&gt;<mark>Отпуск</mark> &amp; &quot;Ромашка&quot;&lt;/b&gt;");
    }
}
