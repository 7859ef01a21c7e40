//! Papers as scanners see them: rendered by Poppler, then turned, lit, shrunk and grained as a second scan would be.

use std::process::Command;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{GrayImage, Luma};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Dots an inch.
const RESOLUTION: &str = "200";

/// A page with this text.
///
/// # Panics
/// Poppler cannot render it.
pub fn page(text: &str) -> GrayImage {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, prefix) = (folder.path().join("page.pdf"), folder.path().join("page"));
    std::fs::write(&file, super::pdf(&[text])).expect("is written");
    let rendered = Command::new("pdftoppm")
        .args(["-r", RESOLUTION, "-jpeg", "-singlefile"])
        .args([&file, &prefix])
        .status()
        .expect("Poppler is there");
    assert!(rendered.success());
    let picture = std::fs::read(folder.path().join("page.jpg")).expect("is rendered");
    read(&picture)
}

fn read(picture: &[u8]) -> GrayImage {
    image::load_from_memory(picture).expect("a picture").into_luma8()
}

/// As a JPEG.
pub fn jpeg(page: &GrayImage, quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(page).expect("can be written");
    file
}

/// Other scans of the same page.
pub fn again(page: &GrayImage) -> Vec<Vec<u8>> {
    let lit = |page: &GrayImage, part: f32, more: f32| {
        GrayImage::from_fn(page.width(), page.height(), |x, y| {
            Luma([(f32::from(page.get_pixel(x, y).0[0]) * part + more).clamp(0.0, 255.0) as u8])
        })
    };
    let smaller = |page: &GrayImage, part: f32| {
        let size = |side: u32| (side as f32 * part) as u32;
        image::imageops::resize(page, size(page.width()), size(page.height()), FilterType::Triangle)
    };
    vec![
        jpeg(&turn(page, 1.5), 85),
        jpeg(&grained(&turn(page, -1.0), 12), 60),
        jpeg(&lit(page, 0.75, 20.0), 70),
        jpeg(&smaller(page, 0.75), 80),
        jpeg(&grained(&lit(&smaller(&turn(page, 2.0), 0.85), 0.9, 0.0), 6), 75),
    ]
}

/// A picture turned by so many degrees.
pub fn turned(picture: &[u8], degrees: f32) -> Vec<u8> {
    jpeg(&turn(&read(picture), degrees), 85)
}

/// Paper beyond the edges is white.
fn turn(page: &GrayImage, degrees: f32) -> GrayImage {
    let (width, height) = (page.width() as f32, page.height() as f32);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let shade = |x: f32, y: f32| -> f32 {
        let inside = x >= 0.0 && y >= 0.0 && x < width && y < height;
        if inside { f32::from(page.get_pixel(x as u32, y as u32).0[0]) } else { 255.0 }
    };
    GrayImage::from_fn(page.width(), page.height(), |x, y| {
        let (dx, dy) = (x as f32 - width / 2.0, y as f32 - height / 2.0);
        let (x, y) = (width / 2.0 + dx * cos - dy * sin, height / 2.0 + dx * sin + dy * cos);
        let (left, top) = (x.floor(), y.floor());
        let (right, down) = (x - left, y - top);
        let upper = shade(left, top) * (1.0 - right) + shade(left + 1.0, top) * right;
        let lower = shade(left, top + 1.0) * (1.0 - right) + shade(left + 1.0, top + 1.0) * right;
        Luma([(upper * (1.0 - down) + lower * down) as u8])
    })
}

/// With noise, the same each time.
fn grained(page: &GrayImage, most: i16) -> GrayImage {
    let mut dice = StdRng::seed_from_u64(7);
    GrayImage::from_fn(page.width(), page.height(), |x, y| {
        let shade = i16::from(page.get_pixel(x, y).0[0]) + dice.random_range(-most..=most);
        Luma([shade.clamp(0, 255) as u8])
    })
}
