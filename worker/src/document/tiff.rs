//! Headers of a TIFF: the chain of its image file directories (TIFF 6.0, section 2; BigTIFF).

use std::collections::HashSet;
use std::io::{Read, Seek};

use super::headers::{Order, take_at};
use super::{DocumentError, MAX_PAGES};

/// Directories of previews and masks may stand between the pages; this many in all are a trap.
const MAX_DIRECTORIES: usize = 100;

/// A directory has some 20 entries; this many are a trap.
const MAX_ENTRIES: u64 = 1_000;

/// One page of a TIFF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TiffPage {
    /// Which directory of the chain it is, from 0.
    pub directory: usize,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Turn needed to see it upright, as EXIF numbers them, 1 to 8.
    pub orientation: u8,
}

/// The pages, without previews and masks.
///
/// # Errors
///
/// [`DocumentError::TooManyPages`], as soon as there is one too many; [`DocumentError::Unreadable`]
/// where a directory is damaged, or stands in its own chain.
pub fn pages(file: &mut (impl Read + Seek)) -> Result<Vec<TiffPage>, DocumentError> {
    const DAMAGED: DocumentError = DocumentError::Unreadable("its directory of pages is damaged");
    let start: [u8; 16] = match take_at::<8>(file, 0)? {
        // A classic TIFF may be shorter than the header of a BigTIFF.
        short if short[2] == 43 || short[3] == 43 => take_at(file, 0)?,
        [a, b, c, d, e, f, g, h] => [a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0],
    };
    let order = if start[0] == b'I' { Order::Little } else { Order::Big };
    let big = order.u16([start[2], start[3]]) == 43;
    let mut next = if big {
        let [.., a, b, c, d, e, f, g, h] = start;
        order.u64([a, b, c, d, e, f, g, h])
    } else {
        u64::from(order.u32([start[4], start[5], start[6], start[7]]))
    };

    let (mut pages, mut seen) = (Vec::new(), HashSet::new());
    while next != 0 {
        if !seen.insert(next) || seen.len() > MAX_DIRECTORIES {
            return Err(DAMAGED);
        }
        let directory = Directory::read(file, order, big, next)?;
        if directory.is_page {
            if pages.len() as u32 == MAX_PAGES {
                return Err(DocumentError::TooManyPages(u64::from(MAX_PAGES) + 1));
            }
            pages.push(TiffPage {
                directory: seen.len() - 1,
                width: directory.width,
                height: directory.height,
                orientation: directory.orientation,
            });
        }
        next = directory.next;
    }
    if pages.is_empty() { Err(DAMAGED) } else { Ok(pages) }
}

struct Directory {
    width: u32,
    height: u32,
    orientation: u8,
    is_page: bool,
    next: u64,
}

impl Directory {
    fn read(file: &mut (impl Read + Seek), order: Order, big: bool, at: u64) -> Result<Self, DocumentError> {
        let (count, mut place) = if big {
            (order.u64(take_at(file, at)?), at.saturating_add(8))
        } else {
            (u64::from(order.u16(take_at(file, at)?)), at.saturating_add(2))
        };
        if count == 0 || count > MAX_ENTRIES {
            return Err(DocumentError::Unreadable("its directory of pages is damaged"));
        }
        let (mut width, mut height, mut orientation, mut subfile) = (0, 0, 1, 0);
        for _ in 0..count {
            let (tag, value) = if big {
                let entry: [u8; 20] = take_at(file, place)?;
                place = place.saturating_add(20);
                (order.u16([entry[0], entry[1]]), Self::value(order, &entry, 12))
            } else {
                let entry: [u8; 12] = take_at(file, place)?;
                place = place.saturating_add(12);
                (order.u16([entry[0], entry[1]]), Self::value(order, &entry, 8))
            };
            match tag {
                254 => subfile = value,
                256 => width = value,
                257 => height = value,
                274 if (1..=8).contains(&value) => orientation = value as u8,
                _ => {}
            }
        }
        let next = if big {
            order.u64(take_at(file, place)?)
        } else {
            let bytes: [u8; 4] = take_at(file, place)?;
            u64::from(order.u32(bytes))
        };
        // NewSubfileType: bit 0 is a preview, bit 2 a transparency mask.
        Ok(Self { width, height, orientation, is_page: subfile & 0b101 == 0, next })
    }

    /// The value of an entry of one number, by its type: BYTE, SHORT, LONG or LONG8.
    fn value(order: Order, entry: &[u8], at: usize) -> u32 {
        match order.u16([entry[2], entry[3]]) {
            1 => u32::from(entry[at]),
            3 => u32::from(order.u16([entry[at], entry[at + 1]])),
            16 if entry.len() >= at + 8 => {
                let bytes = std::array::from_fn(|index| entry[at + index]);
                u32::try_from(order.u64(bytes)).unwrap_or(u32::MAX)
            }
            _ => order.u32([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]),
        }
    }
}
