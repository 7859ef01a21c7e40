//! What answers are worth, held against labels: of documents and of pairs of names. Pure; the commands read and print.

pub mod documents;
pub mod labels;
pub mod letters_lost;
pub mod pairs;
pub mod section;
pub mod tables;

use serde::Serialize;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Those that are meant.
    pub hits: usize,
    /// All that could be.
    pub of: usize,
}

impl Count {
    /// One more, if it is scored at all.
    pub fn add(&mut self, hit: Option<bool>) {
        self.hits += usize::from(hit == Some(true));
        self.of += usize::from(hit.is_some());
    }

    /// From 0 to 1; none of nothing.
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// Wilson's interval: with a certainty of 95 % the true share lies in it.
    pub fn interval(self) -> (f64, f64) {
        const Z: f64 = 1.96;
        let Some(share) = self.share() else { return (0.0, 0.0) };
        let of = self.of as f64;
        let middle = share + Z * Z / (2.0 * of);
        let half = Z * (share.mul_add(1.0 - share, Z * Z / (4.0 * of)) / of).sqrt();
        let whole = 1.0 + Z * Z / of;
        (((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_scored_is_not_counted() {
        let mut count = Count::default();
        for hit in [Some(true), None, Some(false), Some(true)] {
            count.add(hit);
        }
        assert_eq!(count, Count { hits: 2, of: 3 });
        assert_eq!(Count::default().share(), None);
    }

    #[test]
    fn none_of_many_leaves_a_small_doubt() {
        let (from, to) = Count { hits: 0, of: 735 }.interval();
        assert_eq!((from, (to * 1e4).round()), (0.0, 52.0));
        let (from, to) = Count { hits: 8, of: 735 }.interval();
        assert_eq!(((from * 1e4).round(), (to * 1e4).round()), (55.0, 213.0));
        assert_eq!(Count::default().interval(), (0.0, 0.0));
    }
}
