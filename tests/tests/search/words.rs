//! What a word is, and what is shown around it.

use harness::services::Database;
use shared::store::Pool;

async fn is_found(pool: &Pool, text: &str, words: &str) -> bool {
    sqlx::query_scalar("SELECT text_words($1) @@ words_wanted($2)")
        .bind(text)
        .bind(words)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn russian_words_are_found_in_any_form_and_kazakh_ones_as_they_stand() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let text = "ПРИКАЗ № 17-к от 01.12.2025 г.\nО предоставлении отпуска по уходу за ребёнком. Основание: ст.146 ТК. \
        Қызметкерге жалақы сақталмайтын демалыс берілсін. Бұйрық. А.Ли/ТОО«Нұр-Жол»; e-mail: a@b.kz <b>печать</b>";
    for found in [
        "приказом",
        "отпуск",
        "отпуске уход",
        "ребенка",
        "ребёнка",
        "01.12.2025",
        "2025",
        "146",
        "ст",
        "тоо",
        "нұр",
        "жол",
        "Нұр-Жол",
        "қызметкерге",
        "БҰЙРЫҚ",
        "печать",
        "за",
        "о",
        "17-к",
        "kz",
        "b",
        "А.Ли",
    ] {
        assert!(is_found(pool, text, found).await, "{found}");
    }
    for absent in ["справка", "қызметкер", "бұйрығы", "2024", "14", "отпуск справка", "приказчик"]
    {
        assert!(!is_found(pool, text, absent).await, "{absent}");
    }
}

#[tokio::test]
async fn a_text_of_any_length_has_words() {
    let database = Database::fresh().await;
    let text: String = (0..300_000).map(|number| format!("слово{number} ")).collect();
    assert!(is_found(database.pool(), &text, "слово7").await);
    assert!(!is_found(database.pool(), &"а".repeat(3_000_000), "слово").await);
}

#[tokio::test]
async fn a_snippet_shows_the_words_with_the_signs_around_them() {
    let database = Database::fresh().await;
    let text = "Приказ № 17-к от 01.12.2025 г.: предоставить отпуск без содержания <b>\u{E000}Иванову\u{E010}</b> с 02.12.2025";
    let snippet: String =
        sqlx::query_scalar("SELECT words_snippet($1, words_wanted('отпуска') || words_wanted('17-к'))")
            .bind(text)
            .fetch_one(database.pool())
            .await
            .unwrap();
    assert_eq!(
        snippet,
        "Приказ № \u{E000}17\u{E001}-\u{E000}к\u{E001} от 01.12.2025 г.: предоставить \u{E000}отпуск\u{E001} без содержания <b>Иванову</b> с"
    );
}
