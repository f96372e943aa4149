//! Pictures: decoding what comes from outside within bounds, and making sizes of it. What is made holds
//! nothing of the original but its pixels: no place, no camera, no date.

use std::io::Cursor;

use havre_domain::limits::{PICTURE_RATIO_MAX, PICTURE_SIDES_MAX};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageReader, Limits, RgbImage};

use super::stripped;
use crate::error::RpcError;

/// A size to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its letter (core.telegram.org/api/files, "Image thumbnail types").
    pub letter: &'static str,
    /// The longest side, pixels.
    pub side: u32,
}

const fn size(letter: &'static str, side: u32) -> Size {
    Size { letter, side }
}

/// What a photo in a message is kept in.
pub const OF_MESSAGE: &[Size] = &[size("s", 100), size("m", 320), size("x", 800), size("y", 1280)];
/// What a photo of a person or group is kept in; these are cut square.
pub const OF_PROFILE: &[Size] = &[size("a", 160), size("b", 320), size("c", 640)];
/// What a document's picture is kept in.
pub const OF_DOCUMENT: &[Size] = &[size("m", 320)];

/// A picture in one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The letter of the size.
    pub letter: &'static str,
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// JPEG.
    pub jpeg: Vec<u8>,
}

/// A picture in all its sizes, the smallest first, and as a few bytes to show before any of them is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The sizes.
    pub sizes: Vec<Made>,
    /// `photoStrippedSize`.
    pub stripped: Vec<u8>,
}

/// Most bytes that decoding may take.
const DECODED_MAX: u64 = 256 << 20;
/// JPEG quality of the sizes, percent.
const QUALITY: u8 = 87;

/// Makes sizes of a JPEG, PNG, WebP or GIF. None is larger than the original; the first that is as large as it
/// is the last. A square one is cut around the middle.
///
/// # Errors
/// `400 IMAGE_PROCESS_FAILED` for what is no picture, `400 PHOTO_INVALID_DIMENSIONS`.
pub fn sizes(bytes: &[u8], plan: &[Size], square: bool) -> Result<Picture, RpcError> {
    let mut whole = decode(bytes)?;
    if square {
        let side = whole.width().min(whole.height());
        let (x, y) = ((whole.width() - side) / 2, (whole.height() - side) / 2);
        whole = whole.crop_imm(x, y, side, side);
    }
    let whole = DynamicImage::ImageRgb8(opaque(&whole));
    let mut sizes = Vec::with_capacity(plan.len());
    for size in plan {
        let fits = whole.width().max(whole.height()) <= size.side;
        sizes.push(made(&whole, *size)?);
        // A profile's sizes are asked for by letter without looking which there are: all of them exist.
        if fits && !square {
            break;
        }
    }
    let stripped = stripped::encode(&whole.thumbnail(stripped::SIDE, stripped::SIDE).to_rgb8());
    Ok(Picture { sizes, stripped })
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, RpcError> {
    let failed = |_| RpcError::IMAGE_PROCESS_FAILED;
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|_| RpcError::IMAGE_PROCESS_FAILED)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODED_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if !acceptable(width, height) {
        return Err(RpcError::PHOTO_INVALID_DIMENSIONS);
    }
    let orientation = decoder.orientation().map_err(failed)?;
    let mut whole = DynamicImage::from_decoder(decoder).map_err(failed)?;
    whole.apply_orientation(orientation);
    Ok(whole)
}

fn acceptable(width: u32, height: u32) -> bool {
    let (short, long) = (width.min(height), width.max(height));
    short > 0 && width.saturating_add(height) <= PICTURE_SIDES_MAX && long / short <= PICTURE_RATIO_MAX
}

/// The picture on white: JPEG knows nothing transparent.
fn opaque(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let source = picture.to_rgba8();
    RgbImage::from_fn(source.width(), source.height(), |x, y| {
        let [r, g, b, a] = source.get_pixel(x, y).0;
        let on_white = |c: u8| {
            let (c, a) = (u32::from(c), u32::from(a));
            u8::try_from((c * a + 255 * (255 - a)) / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([on_white(r), on_white(g), on_white(b)])
    })
}

fn made(whole: &DynamicImage, size: Size) -> Result<Made, RpcError> {
    let fits = whole.width().max(whole.height()) <= size.side;
    let scaled = if fits {
        whole.clone()
    } else {
        whole.thumbnail(size.side, size.side)
    };
    let mut jpeg = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(&scaled);
    encoded.map_err(|_| RpcError::IMAGE_PROCESS_FAILED)?;
    Ok(Made {
        letter: size.letter,
        width: scaled.width(),
        height: scaled.height(),
        jpeg,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 99]));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn sizes_end_with_the_one_that_holds_the_original() {
        let made = sizes(&png(500, 200), OF_MESSAGE, false).unwrap().sizes;
        let sizes: Vec<_> = made.iter().map(|m| (m.letter, m.width, m.height)).collect();
        assert_eq!(sizes, [("s", 100, 40), ("m", 320, 128), ("x", 500, 200)]);
    }

    #[test]
    fn profile_sizes_are_square_and_all_there() {
        let made = sizes(&png(300, 200), OF_PROFILE, true).unwrap().sizes;
        let sizes: Vec<_> = made.iter().map(|m| (m.letter, m.width, m.height)).collect();
        assert_eq!(sizes, [("a", 160, 160), ("b", 200, 200), ("c", 200, 200)]);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(
            sizes(b"not a picture", OF_MESSAGE, false),
            Err(RpcError::IMAGE_PROCESS_FAILED)
        );
        let mut cut = png(50, 50);
        cut.truncate(60);
        assert_eq!(
            sizes(&cut, OF_MESSAGE, false),
            Err(RpcError::IMAGE_PROCESS_FAILED)
        );
        assert_eq!(
            sizes(&png(2100, 100), OF_MESSAGE, false),
            Err(RpcError::PHOTO_INVALID_DIMENSIONS)
        );
    }
}
