use proptest::prelude::*;

use super::*;

#[test]
fn the_search_form_folds_case_yo_kazakh_letters_and_spaces() {
    assert_eq!(fio_search("  Әбдірахманова  ҚҰРАЛАЙ Пётрқызы "), "абдирахманова куралай петркызы");
}
