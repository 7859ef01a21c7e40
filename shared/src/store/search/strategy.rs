//! Which way a search goes, by what is looked for and by what the first look finds.

use uuid::Uuid;

use super::super::StoreError;
use super::conditions::{NamePart, Said, Span, contradicts_itself};
use super::names::{self, Month};
use super::ordered::Order;
use super::slots::Session;
use super::words::{self, Found};
use super::{Filter, Pace, Page, walk};

/// Finds a page.
pub(super) async fn find(
    session: &mut Session,
    filter: &Filter,
    after: Option<Uuid>,
    limit: usize,
    pace: &Pace,
) -> Result<Page, StoreError> {
    let before = [filter.before, after].into_iter().flatten().min();
    let span = Span { from: filter.from, before };
    if limit == 0 || contradicts_itself(filter) || span.is_empty() {
        return Ok(Page::default());
    }
    let mut search =
        Search { session, filter, pace, wanted: limit + 1, span, found: Vec::new(), begun: false, stopped: false };
    search.run().await?;
    let Search { mut found, stopped, span, .. } = search;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().copied() } else { span.before.filter(|_| stopped) };
    Ok(Page { run_ids: found, next })
}

/// A search under way.
struct Search<'a> {
    session: &'a mut Session,
    filter: &'a Filter,
    pace: &'a Pace,
    /// Runs to find: one more than are shown, which says whether there is a next page.
    wanted: usize,
    /// What has not been looked at.
    span: Span,
    found: Vec<Uuid>,
    /// Something has been looked at: the next page would not begin where this one did.
    begun: bool,
    /// The time was over before the end.
    stopped: bool,
}

impl Search<'_> {
    async fn run(&mut self) -> Result<(), StoreError> {
        let reads = !self.filter.words.is_empty();
        if let Some(order) = Order::exact(self.filter) {
            return self
                .walk(&order, if reads { self.pace.read } else { [self.pace.look / 4, self.pace.longest] })
                .await;
        }
        match self.filter.fio_search.as_deref().map(NamePart::of) {
            Some(name) if !reads || self.is_rare().await? => self.by_name(&name).await,
            _ if reads => self.by_words().await,
            _ => self.by_order().await,
        }
    }

    fn missing(&self) -> i64 {
        i64::try_from(self.wanted.saturating_sub(self.found.len())).unwrap_or(i64::MAX)
    }

    /// Whether to end: there is enough, or the time is over.
    fn done(&mut self) -> bool {
        if self.missing() == 0 {
            return true;
        }
        self.stopped = self.stopped || self.begun && self.session.out_of_time();
        self.stopped
    }

    /// All down to there has been looked at.
    fn looked_to(&mut self, id: Option<Uuid>) {
        self.begun = self.begun || id.is_some();
        self.span.before = id.or(self.span.before);
    }

    /// Looks at `rows` rows along an order; how many there were and fitted. Fewer than asked for: it is at its end.
    async fn piece(&mut self, order: &Order, rows: i64) -> Result<(i64, i64), StoreError> {
        let wanted = self.missing();
        let piece = walk::piece(self.session, order, self.filter, Said::default(), self.span, rows, wanted).await?;
        let fitted = i64::try_from(piece.run_ids.len()).unwrap_or(i64::MAX);
        self.found.extend(piece.run_ids);
        self.looked_to(piece.last);
        Ok((piece.rows, fitted))
    }

    /// Walks along an order, in pieces of the first size to the second, to the end of the span.
    async fn walk(&mut self, order: &Order, [mut rows, longest]: [i64; 2]) -> Result<(), StoreError> {
        while !self.done() {
            let (looked_at, _) = self.piece(order, rows).await?;
            // Where one run has several errors, its rows are fewer than were read.
            let at_the_end = if matches!(order, Order::Codes(_)) { looked_at == 0 } else { looked_at < rows };
            if at_the_end {
                break;
            }
            rows = (rows * 4).min(longest);
        }
        Ok(())
    }

    /// By status, verdict, error and time: what is frequent by the first look, what is rare along the errors.
    async fn by_order(&mut self) -> Result<(), StoreError> {
        let common = Order::common(self.filter);
        let (rows, _) = self.piece(&common, self.pace.look).await?;
        if rows < self.pace.look {
            return Ok(());
        }
        let order = Order::errors(self.filter).unwrap_or(common);
        self.walk(&order, [4 * self.pace.look, self.pace.longest]).await
    }

    /// Whether few of the newest runs have the name.
    async fn is_rare(&mut self) -> Result<bool, StoreError> {
        let said = Said { name: false, words: true };
        let common = Order::common(self.filter);
        let piece =
            walk::piece(self.session, &common, self.filter, said, self.span, self.pace.look, self.pace.look).await?;
        Ok(i64::try_from(piece.run_ids.len()).is_ok_and(|named| named * 100 <= self.pace.look))
    }

    /// By a name: along the common order as long as that promises to be short, then month by month.
    async fn by_name(&mut self, name: &NamePart) -> Result<(), StoreError> {
        let reads = !self.filter.words.is_empty();
        let common = Order::common(self.filter);
        let (mut looked_at, mut fitted, mut rows) = (0, 0, if reads { self.pace.read[0] } else { self.pace.look });
        while !self.done() {
            let piece = self.piece(&common, rows).await?;
            if piece.0 < rows {
                return Ok(());
            }
            (looked_at, fitted) = (looked_at + piece.0, fitted + piece.1);
            let ahead = rows_ahead(looked_at, fitted, self.missing());
            if ahead > self.pace.worth_walking || reads {
                return self.by_months(name, &common).await;
            }
            #[expect(clippy::cast_possible_truncation, reason = "at most `worth_walking`")]
            let some_more = (ahead * 1.3) as i64;
            rows = some_more.clamp(self.pace.look, self.pace.longest);
        }
        Ok(())
    }

    async fn by_months(&mut self, name: &NamePart, common: &Order) -> Result<(), StoreError> {
        let reads = !self.filter.words.is_empty();
        let most = if reads { self.pace.named_and_read } else { self.pace.named };
        for month in names::months(self.session).await? {
            let month = names::ids_of(month);
            let newer = self.span.before.zip(month.from).is_some_and(|(before, from)| from >= before);
            let older = self.span.from.zip(month.before).is_some_and(|(from, before)| before <= from);
            if newer || older {
                continue;
            }
            if self.done() {
                return Ok(());
            }
            let wanted = self.missing();
            match names::month(self.session, self.filter, name, month, self.span, most, wanted).await? {
                Month::Found(run_ids) => {
                    self.found.extend(run_ids);
                    self.looked_to(month.from);
                }
                Month::TooMany if reads => return self.by_words().await,
                Month::TooMany => {
                    let from = self.span.from;
                    self.span.from = from.max(month.from);
                    self.walk(common, [4 * self.pace.look, self.pace.longest]).await?;
                    self.span.from = from;
                    if self.stopped {
                        return Ok(());
                    }
                    self.looked_to(month.from);
                }
            }
        }
        Ok(())
    }

    /// By words: a span of time after another, each as long as the last one made likely to be enough.
    async fn by_words(&mut self) -> Result<(), StoreError> {
        if let Some(errors) = Order::errors(self.filter) {
            let said = Said { name: false, words: true };
            let piece = walk::piece(self.session, &errors, self.filter, said, self.span, self.pace.few + 1, 0).await?;
            if piece.rows <= self.pace.few && piece.rows > 0 {
                return self.walk(&errors, self.pace.read).await;
            }
        }
        let common = Order::common(self.filter);
        let Some(ends) = words::ends(self.session, &common, self.span, self.pace.look).await? else {
            return Ok(());
        };
        let mut slice = Span { from: Some(ends.reach), before: Some(self.span.before.unwrap_or(ends.after_newest)) };
        while !self.done() {
            let wanted = self.missing();
            match words::span(self.session, self.filter, slice, self.pace.pages, wanted).await? {
                Found::Runs(run_ids) => {
                    let times = stretch(run_ids.len(), self.missing());
                    self.found.extend(run_ids);
                    self.looked_to(slice.from);
                    if slice.from <= Some(ends.oldest) {
                        return Ok(());
                    }
                    let from = words::reaching(slice, times).max(ends.oldest);
                    slice = Span { from: Some(from), before: slice.from };
                }
                // The runs of one client are few among those of the span; or it is as short as can be.
                Found::TooMany if self.filter.client_id.is_some() || words::is_a_moment(slice) => {
                    return self.walk(&common, self.pace.read).await;
                }
                Found::TooMany => slice.from = Some(words::shortened(slice)),
            }
        }
        Ok(())
    }
}

/// How many rows a walk has to look at yet, where so many of those that it has looked at fitted.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn rows_ahead(looked_at: i64, fitted: i64, missing: i64) -> f64 {
    missing as f64 * (looked_at + 1) as f64 / (fitted + 1) as f64
}

/// How many times as long the next span is.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn stretch(found: usize, missing: i64) -> f64 {
    if found == 0 { 8.0 } else { (1.5 * missing as f64 / found as f64).clamp(1.0, 8.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_on_where_it_promises_to_be_short() {
        let worth_walking = Pace::default().worth_walking;
        assert!(rows_ahead(2_000, 40, 11) < worth_walking);
        assert!(rows_ahead(2_000, 0, 51) > worth_walking);
    }

    #[test]
    fn a_span_grows_by_what_is_missing() {
        assert!((stretch(0, 51) - 8.0).abs() < f64::EPSILON);
        assert!((stretch(50, 1) - 1.0).abs() < f64::EPSILON);
        assert!((stretch(25, 50) - 3.0).abs() < f64::EPSILON);
    }
}
