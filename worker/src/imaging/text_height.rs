//! How tall the letters of a page are, which says how far it must be enlarged.

use super::gray::Gray;

/// Height in pixels of a typical lower-case letter, from the runs of ink in its columns; none where there
/// is too little ink to tell.
#[must_use]
pub fn letter_height(page: &Gray) -> Option<f32> {
    const TALLEST: usize = 120;
    let means = super::light::local_means(page, 20);
    let mut heights = [0u32; TALLEST];
    let dark = |place: usize| u32::from(page.pixels[place]) * 100 < u32::from(means[place]) * 80;
    // A letter's body: from the first to the last ink of a column, gaps up to the size of an eye bridged
    // by looking at rows: a row of a line of text has ink somewhere near.
    let step = (page.width / 400).max(1);
    for x in (0..page.width).step_by(step) {
        let band = x..(x + 24).min(page.width);
        let mut run = 0usize;
        for y in 0..page.height {
            let inked = band.clone().step_by(3).any(|x| dark(y * page.width + x));
            if inked {
                run += 1;
            } else {
                if (5..TALLEST).contains(&run) {
                    heights[run] += 1;
                }
                run = 0;
            }
        }
    }
    let total: u32 = heights.iter().sum();
    if total < 200 {
        return None;
    }
    let mut seen = 0;
    heights.iter().enumerate().find_map(|(height, count)| {
        seen += count;
        (seen * 2 >= total).then_some(height as f32)
    })
}
