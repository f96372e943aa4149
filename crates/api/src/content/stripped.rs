//! `photoStrippedSize`: a JPEG of at most 40 × 40 pixels without what is the same in all of them. Clients put a
//! fixed header before it (core.telegram.org/api/files, "Stripped thumbnails"): baseline, chroma halved both
//! ways, the tables of ITU-T T.81 annex K with quantisation at quality 20.

use image::RgbImage;

/// The longest side, pixels.
pub const SIDE: u32 = 40;

/// The bytes of a picture whose sides are at most [`SIDE`]: version 1, height, width, the scan.
pub fn encode(picture: &RgbImage) -> Vec<u8> {
    let side = |n: u32| u8::try_from(n.min(SIDE)).unwrap_or_default();
    let mut bytes = vec![1, side(picture.height()), side(picture.width())];
    bytes.extend(scan(picture));
    bytes
}

/// Annex K.1 in zigzag order: luminance, chrominance.
const QUANTISATION: [[u16; 64]; 2] = [
    [
        16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29,
        40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98,
        103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
    ],
    [
        17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ],
];
/// Place of each coefficient in its 8 × 8 block, in zigzag order.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A Huffman table of annex K.3: how many codes of each length, and what they mean.
struct Huffman {
    counts: [u8; 16],
    values: &'static [u8],
}

const DC: [Huffman; 2] = [
    Huffman {
        counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        values: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    },
    Huffman {
        counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
        values: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    },
];
const AC: [Huffman; 2] = [
    Huffman {
        counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
        values: &[
            0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07,
            0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0,
            0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28,
            0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
            0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
            0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
            0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
            0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5,
            0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
            0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
            0xf9, 0xfa,
        ],
    },
    Huffman {
        counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
        values: &[
            0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71,
            0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0,
            0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26,
            0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
            0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
            0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
            0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5,
            0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3,
            0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
            0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8,
            0xf9, 0xfa,
        ],
    },
];

impl Huffman {
    /// The code and length in bits of a value; the tables hold every value that occurs.
    fn code(&self, value: u8) -> (u32, u32) {
        let (mut code, mut next) = (0_u32, 0_usize);
        for (length, count) in (1_u32..).zip(self.counts) {
            for _ in 0..count {
                if self.values.get(next) == Some(&value) {
                    return (code, length);
                }
                code += 1;
                next += 1;
            }
            code <<= 1;
        }
        (0, 0)
    }
}

/// The divisor of a coefficient at quality 20.
fn divisor(table: usize, place: usize) -> f32 {
    f32::from(((QUANTISATION[table][place] * 250 + 50) / 100).clamp(1, 255))
}

/// Writes bits, the highest first, a zero byte after each 0xff.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, bits: u32, count: u32) {
        for n in (0..count).rev() {
            self.held = self.held << 1 | (bits >> n & 1);
            self.count += 1;
            if self.count == 8 {
                let byte = u8::try_from(self.held & 0xff).unwrap_or_default();
                self.bytes.push(byte);
                if byte == 0xff {
                    self.bytes.push(0);
                }
                self.count = 0;
            }
        }
    }

    /// The bytes, the last one filled with ones.
    fn end(mut self) -> Vec<u8> {
        while self.count != 0 {
            self.put(1, 1);
        }
        self.bytes
    }
}

type Block = [f32; 64];

/// Blocks of 16 × 16 pixels, row by row: four of luminance, one of each chrominance.
fn scan(picture: &RgbImage) -> Vec<u8> {
    let mut bits = Bits::default();
    let mut before = [0_i32; 3];
    for top in (0..picture.height()).step_by(16) {
        for left in (0..picture.width()).step_by(16) {
            for (x, y) in [(0, 0), (8, 0), (0, 8), (8, 8)] {
                let block = block(picture, (left + x, top + y), 1, 0);
                put_block(&mut bits, &block, 0, &mut before[0]);
            }
            for plane in [1, 2] {
                let block = block(picture, (left, top), 2, plane);
                put_block(&mut bits, &block, 1, &mut before[plane]);
            }
        }
    }
    bits.end()
}

/// 8 × 8 values of a plane around zero, each the mean of `step` × `step` pixels; outside the picture its edge
/// goes on.
fn block(picture: &RgbImage, (left, top): (u32, u32), step: u32, plane: usize) -> Block {
    let (right, bottom) = (picture.width().max(1) - 1, picture.height().max(1) - 1);
    let at = |x: u32, y: u32| value(picture.get_pixel(x.min(right), y.min(bottom)).0, plane);
    std::array::from_fn(|n| {
        let n = u32::try_from(n).unwrap_or_default();
        let (x, y) = (left + n % 8 * step, top + n / 8 * step);
        let mut sum = 0.0;
        for dy in 0..step {
            for dx in 0..step {
                sum += at(x + dx, y + dy);
            }
        }
        sum / f32::from(u8::try_from(step * step).unwrap_or(1))
    })
}

/// Luminance (0) or chrominance (1, 2) of a pixel, around zero (JFIF).
fn value([r, g, b]: [u8; 3], plane: usize) -> f32 {
    let (r, g, b) = (f32::from(r), f32::from(g), f32::from(b));
    match plane {
        0 => 0.299 * r + 0.587 * g + 0.114 * b - 128.0,
        1 => -0.168_736 * r - 0.331_264 * g + 0.5 * b,
        _ => 0.5 * r - 0.418_688 * g - 0.081_312 * b,
    }
}

/// The cosine transform of a block, quantised, in zigzag order.
fn transformed(block: &Block, table: usize) -> [i32; 64] {
    use std::f32::consts::{FRAC_1_SQRT_2, PI};
    let number = |n: usize| f32::from(u8::try_from(n).unwrap_or_default());
    let cosine = |x: usize, u: usize| ((2.0 * number(x) + 1.0) * number(u) * PI / 16.0).cos();
    let norm = |u: usize| if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
    std::array::from_fn(|place| {
        let (u, v) = (usize::from(ZIGZAG[place] % 8), usize::from(ZIGZAG[place] / 8));
        let sum: f32 = block
            .iter()
            .enumerate()
            .map(|(n, value)| value * cosine(n % 8, u) * cosine(n / 8, v))
            .sum();
        let coefficient = sum * norm(u) * norm(v) / 4.0;
        // At most 1024 in size: the blocks are within ±128.
        #[allow(clippy::cast_possible_truncation)]
        let quantised = (coefficient / divisor(table, place)).round() as i32;
        quantised
    })
}

fn put_block(bits: &mut Bits, block: &Block, table: usize, before: &mut i32) {
    let coefficients = transformed(block, table);
    put_value(bits, &DC[table], 0, coefficients[0] - *before);
    *before = coefficients[0];
    let mut zeros = 0_u8;
    for &coefficient in &coefficients[1..] {
        if coefficient == 0 {
            zeros += 1;
            continue;
        }
        while zeros > 15 {
            put_code(bits, &AC[table], 0xf0);
            zeros -= 16;
        }
        put_value(bits, &AC[table], zeros, coefficient);
        zeros = 0;
    }
    if zeros > 0 {
        put_code(bits, &AC[table], 0);
    }
}

fn put_code(bits: &mut Bits, huffman: &Huffman, value: u8) {
    let (code, length) = huffman.code(value);
    bits.put(code, length);
}

/// A run of zeros and the number of bits of a value as one code, then those bits; negative values less one.
fn put_value(bits: &mut Bits, huffman: &Huffman, zeros: u8, value: i32) {
    let size = 32 - value.unsigned_abs().leading_zeros();
    put_code(bits, huffman, zeros << 4 | u8::try_from(size).unwrap_or_default());
    let low = if value < 0 { value - 1 } else { value };
    bits.put(low.cast_unsigned() & ((1 << size) - 1), size);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What clients put before and after the bytes.
    fn whole(stripped: &[u8]) -> Vec<u8> {
        let mut jpeg = vec![0xff, 0xd8];
        for table in 0..2_u8 {
            jpeg.extend([0xff, 0xdb, 0, 67, table]);
            jpeg.extend((0..64).map(|n| divisor(usize::from(table), n) as u8));
        }
        let (height, width) = (stripped[1], stripped[2]);
        jpeg.extend([0xff, 0xc0, 0, 17, 8, 0, height, 0, width, 3]);
        jpeg.extend([1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        for (class, tables) in [(0, &DC), (0x10, &AC)] {
            for (n, table) in (0_u8..).zip(tables) {
                jpeg.extend([0xff, 0xc4, 0, 19 + table.values.len() as u8, class | n]);
                jpeg.extend(table.counts);
                jpeg.extend(table.values);
            }
        }
        jpeg.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]);
        jpeg.extend(&stripped[3..]);
        jpeg.extend([0xff, 0xd9]);
        jpeg
    }

    #[test]
    fn with_the_fixed_header_it_is_the_picture() {
        let picture = RgbImage::from_fn(40, 27, |x, y| {
            image::Rgb([(x * 6) as u8, (y * 9) as u8, 255 - (x * 3) as u8])
        });
        let stripped = encode(&picture);
        assert_eq!(stripped[..3], [1, 27, 40]);
        let decoded = image::load_from_memory(&whole(&stripped)).unwrap().to_rgb8();
        assert_eq!(decoded.dimensions(), picture.dimensions());
        let difference: u64 = picture
            .iter()
            .zip(decoded.iter())
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        let mean = difference / picture.len() as u64;
        assert!(mean < 12, "a mean difference of {mean}");
    }

    #[test]
    fn divisors_are_those_of_the_fixed_header() {
        let first = |table| (0..8).map(|n| divisor(table, n) as u8).collect::<Vec<_>>();
        assert_eq!(first(0), [0x28, 0x1c, 0x1e, 0x23, 0x1e, 0x19, 0x28, 0x23]);
        assert_eq!(first(1), [0x2b, 0x2d, 0x2d, 0x3c, 0x35, 0x3c, 0x76, 0x41]);
    }
}
