//! The kinds of searches that are measured.

use shared::domain::names::fio_search;
use shared::domain::{ErrorCode, Status};
use shared::store::Pool;
use shared::store::search::Filter;
use uuid::Uuid;

use super::options::Options;
use super::times::{Times, hundredth};
use super::values::Sample;
use crate::bench::report::Table;

/// A kind of search, with the values that it is measured with.
struct Question {
    name: &'static str,
    filters: Vec<Filter>,
}

fn question<V>(name: &'static str, values: impl IntoIterator<Item = V>, filter: impl Fn(V) -> Filter) -> Question {
    Question { name, filters: values.into_iter().map(filter).collect() }
}

fn named(part: impl AsRef<str>) -> Filter {
    Filter { fio_search: Some(fio_search(part.as_ref())), ..Filter::default() }
}

fn worded(words: impl AsRef<str>) -> Filter {
    Filter { words: words.as_ref().split(' ').map(ToOwned::to_owned).collect(), ..Filter::default() }
}

fn questions(sample: &Sample, small: Option<Uuid>, options: &Options) -> Vec<Question> {
    let any = Filter::default;
    let some = |values: Vec<String>| values.into_iter().take(options.values).collect::<Vec<_>>();
    let mut questions = vec![
        question("no filter", [()], |()| any()),
        question("status success", [()], |()| Filter { status: Some(Status::Success), ..any() }),
        question("status error", [()], |()| Filter { status: Some(Status::Error), ..any() }),
        question("status processing", [()], |()| Filter { status: Some(Status::Processing), ..any() }),
        question("verdict false", [()], |()| Filter { verdict: Some(false), ..any() }),
    ];
    let codes = [
        ("error code, frequent", ErrorCode::DocDateTooOld),
        ("error code, rare", ErrorCode::Cancelled),
        ("error code, nobody's", ErrorCode::FileSaveFailed),
    ];
    questions
        .extend(codes.map(|(name, code)| question(name, [code], |code| Filter { error_code: Some(code), ..any() })));
    questions.extend([
        question("name, a part of somebody's", some(sample.parts()), named),
        question("name, somebody's whole", some(sample.whole()), named),
        question("name, frequent", ["ова", "вич", "ахмет"], named),
        question("name, one in a hundred or so", ["иванов", "сулеймен", "айгул", "серик"], named),
        question("name, nobody's", ["щебетунчиков", "ахметова никтоевна", "ъъъ", "кузнецовбаев"], named),
        question("name of two letters", ["ли", "ан", "ни"], named),
        question("name of one letter", ["о", "ю"], named),
        question("name of one or two letters, nobody's", ["щ", "ъ", "йй"], named),
        question("word, somebody's", some(sample.words.clone()), worded),
        question("word, frequent", ["республика", "руководитель", "отпуск", "бұйрық"], worded),
        question("word, nobody's", ["щебетунчиков", "небывалица"], worded),
        question("two words, frequent", ["приказ отпуск", "справка дана"], worded),
        question("two words, never together", ["бұйрық справка", "руководитель директор"], worded),
        question("IIN, somebody's", some(sample.iins.clone()), |iin| Filter { iin: Some(iin), ..any() }),
        question("IIN, nobody's", ["000000000000"], |iin| Filter { iin: Some(iin.into()), ..any() }),
        question("caller's number", some(sample.numbers.clone()), |number| Filter {
            external_request_id: Some(number),
            ..any()
        }),
        question("name and word", ["иванов", "ахмет", "ким"], |part| Filter {
            ..{
                let mut filter = worded("отпуск");
                filter.fio_search = Some(fio_search(part));
                filter
            }
        }),
        question("name, refused", ["иванов", "ахмет", "ким"], |part| Filter {
            verdict: Some(false),
            ..named(part)
        }),
    ]);
    let of_small: Vec<Question> = [
        ("of a small client: all", any()),
        ("of a small client: refused", Filter { verdict: Some(false), ..any() }),
        ("of a small client: name", named("ахмет")),
        ("of a small client: word", worded("отпуск")),
        ("of a small client: word, nobody's", worded("небывалица")),
    ]
    .into_iter()
    .map(|(name, filter)| Question { name, filters: vec![Filter { client_id: small, ..filter }] })
    .collect();
    questions.extend(of_small);
    questions
}

/// Measures each kind, on the first page and on the hundredth.
///
/// # Errors
/// The database is away.
pub async fn measure(pool: &Pool, small: Option<Uuid>, options: &Options) -> anyhow::Result<String> {
    let sample = Sample::take(pool, options.values * 4).await?;
    let mut table = Table::new(["search", "values", "p50 ms", "p99 ms", "page 100: p50 ms", "p99 ms"]);
    for Question { name, filters } in questions(&sample, small, options) {
        let (mut first, mut deep) = (Times::default(), Times::default());
        // Of one value as many looks as of several together.
        let repeats = (options.repeats * options.values / filters.len().max(1)).clamp(options.repeats, 100);
        for filter in &filters {
            first.page(pool, filter, None, repeats).await?;
            if let Some(after) = hundredth(pool, filter).await? {
                deep.page(pool, filter, Some(after), repeats).await?;
            }
        }
        let ([p50, p99], [deep50, deep99]) = (first.shown(), deep.shown());
        table.row([name.to_owned(), filters.len().to_string(), p50, p99, deep50, deep99]);
    }
    Ok(table.to_string())
}
