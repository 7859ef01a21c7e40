//! Images wrapped page by page in one PDF, for OCR that takes PDFs only. JPEGs are embedded as they
//! are; what PDF has no filter for is decoded and embedded as a grey JPEG. Written straight to a file,
//! a page at a time, so that one decoded page is all that is in memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{ExtendedColorType, ImageDecoder as _, ImageReader};
use shared::domain::ContentType;

use crate::document::DocumentFile;
use crate::imaging::{ImagingError, decode};

/// Good enough that no OCR sees the difference.
const JPEG_QUALITY: u8 = 92;
/// The longer side of a page in points: A4's.
const LONG_SIDE: f32 = 842.0;

/// Writes the pages of an image document to `target`. Blocking: decodes.
///
/// # Errors
/// [`ImagingError`].
pub(super) fn wrap(document: &DocumentFile, target: &Path) -> Result<(), ImagingError> {
    let mut pdf = PdfWriter::new(BufWriter::new(File::create(target)?))?;
    for page in 0..document.info.pages as usize {
        match passthrough(document)? {
            Some((shape, mut file)) => pdf.page(&shape, |out| io::copy(&mut file, out).map(drop))?,
            None => {
                let gray = decode(&document.path, document.info.content_type, page)?.gray();
                let shape = Shape {
                    width: u32::try_from(gray.width).map_err(|_| ImagingError::TooLarge)?,
                    height: u32::try_from(gray.height).map_err(|_| ImagingError::TooLarge)?,
                    colour: Colour::Gray,
                    orientation: Orientation::NoTransforms,
                };
                pdf.page(&shape, |out| {
                    JpegEncoder::new_with_quality(out, JPEG_QUALITY)
                        .encode(&gray.pixels, shape.width, shape.height, ExtendedColorType::L8)
                        .map_err(io::Error::other)
                })?;
            }
        }
    }
    pdf.finish()?;
    Ok(())
}

/// A JPEG that may stand in a PDF as it is (DCTDecode: Huffman coded, eight bits, grey or colour),
/// opened at its start.
fn passthrough(document: &DocumentFile) -> Result<Option<(Shape, File)>, ImagingError> {
    if document.info.content_type != ContentType::Jpeg {
        return Ok(None);
    }
    let mut file = File::open(&document.path)?;
    let Some((width, height, colour)) = frame(&mut BufReader::new(&mut file))? else { return Ok(None) };
    let reader = ImageReader::with_format(BufReader::new(File::open(&document.path)?), image::ImageFormat::Jpeg);
    let orientation = reader.into_decoder().and_then(|mut decoder| decoder.orientation());
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    file.rewind()?;
    Ok(Some((Shape { width, height, colour, orientation }, file)))
}

/// Size and colour of a JPEG by its frame header; none if PDF's filter cannot decode such a frame.
fn frame(file: &mut impl io::BufRead) -> io::Result<Option<(u32, u32, Colour)>> {
    let mut two = [0; 2];
    file.read_exact(&mut two)?;
    loop {
        let mut marker = [0; 1];
        file.read_exact(&mut marker)?;
        if marker[0] != 0xFF {
            return Ok(None);
        }
        while marker[0] == 0xFF {
            file.read_exact(&mut marker)?;
        }
        file.read_exact(&mut two)?;
        let length = u64::from(u16::from_be_bytes(two)).saturating_sub(2);
        match marker[0] {
            // baseline, extended, progressive
            0xC0..=0xC2 => {
                let mut frame = [0; 6];
                file.read_exact(&mut frame)?;
                let [precision, h1, h0, w1, w0, components] = frame;
                let colour = match components {
                    1 => Colour::Gray,
                    3 => Colour::Rgb,
                    _ => return Ok(None),
                };
                let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
                let (width, height) = (side(w1, w0), side(h1, h0));
                return Ok((precision == 8 && width > 0 && height > 0).then_some((width, height, colour)));
            }
            // other codings, the end, the first scan: no frame for us
            0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xD9 | 0xDA => return Ok(None),
            _ => {
                io::copy(&mut file.by_ref().take(length), &mut io::sink())?;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Gray,
    Rgb,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    width: u32,
    height: u32,
    colour: Colour,
    orientation: Orientation,
}

impl Shape {
    /// Size of the upright page in points.
    fn points(&self) -> (f32, f32) {
        let scale = LONG_SIDE / self.width.max(self.height) as f32;
        let (width, height) = (self.width as f32 * scale, self.height as f32 * scale);
        match self.orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
            _ => (width, height),
        }
    }

    /// Puts the unit square that PDF draws an image in onto the upright page.
    fn matrix(&self) -> [f32; 6] {
        let (w, h) = self.points();
        match self.orientation {
            Orientation::NoTransforms => [w, 0.0, 0.0, h, 0.0, 0.0],
            Orientation::FlipHorizontal => [-w, 0.0, 0.0, h, w, 0.0],
            Orientation::Rotate180 => [-w, 0.0, 0.0, -h, w, h],
            Orientation::FlipVertical => [w, 0.0, 0.0, -h, 0.0, h],
            // EXIF 5, rows become columns
            Orientation::Rotate90FlipH => [0.0, -h, -w, 0.0, w, h],
            Orientation::Rotate90 => [0.0, -h, w, 0.0, 0.0, h],
            // EXIF 7
            Orientation::Rotate270FlipH => [0.0, h, w, 0.0, 0.0, 0.0],
            Orientation::Rotate270 => [0.0, h, -w, 0.0, w, 0.0],
        }
    }
}

/// The plainest PDF there is: three objects a page, then the page tree, the catalogue and the table of
/// where each object begins.
struct PdfWriter<W: Write> {
    out: Counting<W>,
    /// Where each object begins, from object 1.
    begins: Vec<u64>,
    pages: Vec<usize>,
}

const TREE: usize = 1;
const CATALOGUE: usize = 2;

impl<W: Write> PdfWriter<W> {
    fn new(out: W) -> io::Result<Self> {
        let mut out = Counting { out, written: 0 };
        // Four high bytes tell transfer programs that the file is binary.
        out.write_all(b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")?;
        Ok(Self { out, begins: vec![0; CATALOGUE], pages: Vec::new() })
    }

    /// Begins an object with a number of its own.
    fn begin(&mut self) -> io::Result<usize> {
        self.begins.push(self.out.written);
        let number = self.begins.len();
        writeln!(self.out, "{number} 0 obj")?;
        Ok(number)
    }

    /// A page that shows one image; `data` writes it as JPEG.
    fn page(&mut self, shape: &Shape, data: impl FnOnce(&mut Counting<W>) -> io::Result<()>) -> io::Result<()> {
        let length = self.begins.len() + 2;
        let image = self.begin()?;
        let space = if shape.colour == Colour::Gray { "DeviceGray" } else { "DeviceRGB" };
        writeln!(
            self.out,
            "<</Type/XObject/Subtype/Image/Width {}/Height {}/ColorSpace/{space}/BitsPerComponent 8\
             /Filter/DCTDecode/Length {length} 0 R>>\nstream",
            shape.width, shape.height
        )?;
        let start = self.out.written;
        data(&mut self.out)?;
        let bytes = self.out.written - start;
        writeln!(self.out, "\nendstream\nendobj")?;
        self.begin()?;
        writeln!(self.out, "{bytes}\nendobj")?;
        let [a, b, c, d, e, f] = shape.matrix();
        let drawing = format!("{a:.2} {b:.2} {c:.2} {d:.2} {e:.2} {f:.2} cm /I Do");
        let contents = self.begin()?;
        writeln!(self.out, "<</Length {}>>\nstream\n{drawing}\nendstream\nendobj", drawing.len())?;
        let (width, height) = shape.points();
        let page = self.begin()?;
        writeln!(
            self.out,
            "<</Type/Page/Parent {TREE} 0 R/MediaBox[0 0 {width:.2} {height:.2}]\
             /Resources<</XObject<</I {image} 0 R>>>>/Contents {contents} 0 R>>\nendobj"
        )?;
        self.pages.push(page);
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        let kids: Vec<String> = self.pages.iter().map(|page| format!("{page} 0 R")).collect();
        self.begins[TREE - 1] = self.out.written;
        writeln!(self.out, "{TREE} 0 obj\n<</Type/Pages/Count {}/Kids[{}]>>\nendobj", kids.len(), kids.join(" "))?;
        self.begins[CATALOGUE - 1] = self.out.written;
        writeln!(self.out, "{CATALOGUE} 0 obj\n<</Type/Catalog/Pages {TREE} 0 R>>\nendobj")?;
        let table = self.out.written;
        let objects = self.begins.len() + 1;
        writeln!(self.out, "xref\n0 {objects}\n0000000000 65535 f ")?;
        for begin in &self.begins {
            writeln!(self.out, "{begin:010} 00000 n ")?;
        }
        writeln!(self.out, "trailer\n<</Size {objects}/Root {CATALOGUE} 0 R>>\nstartxref\n{table}\n%%EOF")?;
        self.out.flush()
    }
}

struct Counting<W> {
    out: W,
    written: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage, Luma};

    use super::*;

    /// Every turn that metadata can ask for, with its number there.
    const TURNS: &[Orientation] = &[
        Orientation::NoTransforms,
        Orientation::FlipHorizontal,
        Orientation::Rotate180,
        Orientation::FlipVertical,
        Orientation::Rotate90FlipH,
        Orientation::Rotate90,
        Orientation::Rotate270FlipH,
        Orientation::Rotate270,
    ];

    #[test]
    fn a_turned_image_is_drawn_where_turning_its_pixels_would_put_it() {
        for &orientation in TURNS {
            let (width, height) = (6u32, 4u32);
            let shape = Shape { width, height, colour: Colour::Gray, orientation };
            // each pixel's shade is its place in the stored image
            let stored = GrayImage::from_fn(width, height, |x, y| Luma([u8::try_from(y * width + x).expect("few")]));
            let mut turned = DynamicImage::ImageLuma8(stored);
            turned.apply_orientation(orientation);
            let turned = turned.into_luma8();
            let [a, b, c, d, e, f] = shape.matrix();
            let scale = LONG_SIDE / width as f32;
            for y in 0..height {
                for x in 0..width {
                    let (u, v) = ((x as f32 + 0.5) / width as f32, 1.0 - (y as f32 + 0.5) / height as f32);
                    let (right, up) = (a * u + c * v + e, b * u + d * v + f);
                    let (column, row) = ((right / scale) as u32, ((shape.points().1 - up) / scale) as u32);
                    let shade = turned.get_pixel(column, row).0[0];
                    assert_eq!(u32::from(shade), y * width + x, "{orientation:?} at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn a_jpegs_frame_is_found_behind_other_segments() {
        let jpeg = |marker: u8, components: u8, precision: u8| {
            let mut file = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xC0, 1, 2, 0xFF, 0xFF, marker, 0, 8];
            file.extend([precision, 0x01, 0x02, 0x03, 0x04, components]);
            frame(&mut &file[..]).expect("whole")
        };
        assert_eq!(jpeg(0xC0, 3, 8), Some((0x304, 0x102, Colour::Rgb)));
        assert_eq!(jpeg(0xC2, 1, 8), Some((0x304, 0x102, Colour::Gray)));
        for (marker, components, precision) in [(0xC0, 4, 8), (0xC1, 3, 12), (0xC3, 3, 8), (0xC9, 3, 8), (0xDA, 3, 8)] {
            assert_eq!(jpeg(marker, components, precision), None, "PDF's filter cannot decode it");
        }
    }
}
