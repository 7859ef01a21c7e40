//! From colour to grey, with the ink of stamps made paler than print.

use super::gray::Gray;

/// How much of a stamp's colour is taken away: 0 keeps the plain brightness, 1 keeps only what is
/// dark in every channel. Not all of it, since dates are often written with a blue pen.
const SUPPRESSION: u32 = 6;
const OF: u32 = 10;

/// Grey from rows of three bytes a pixel. Print is dark in all three channels, the ink of stamps
/// bright in one of them (blue or red), so the brightest channel shows print and hides stamps.
#[must_use]
pub fn to_gray(pixels: &[u8], width: usize, height: usize) -> Gray {
    let pixels = pixels
        .as_chunks::<3>()
        .0
        .iter()
        .map(|&[red, green, blue]| {
            let plain = (u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29) >> 8;
            let brightest = u32::from(red.max(green).max(blue));
            ((plain * (OF - SUPPRESSION) + brightest * SUPPRESSION) / OF) as u8
        })
        .collect();
    Gray { width, height, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_becomes_paler_than_print() {
        let gray = to_gray(&[20, 20, 25, 40, 50, 190, 190, 40, 50, 255, 255, 255], 4, 1);
        let [print, blue, red, paper] = gray.pixels[..] else { panic!("four pixels") };
        assert!(print < 30 && paper == 255);
        assert!(blue > 120 && red > 120);
    }
}
