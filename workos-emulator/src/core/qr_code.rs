//! QR codes as pictures that a page or a response carries along.

use base64::{Engine, engine::general_purpose::STANDARD};
use png::{BitDepth, ColorType, Encoder};
use qrcode::{Color, QrCode, types::QrError};

/// The longest text that surely fits, in bytes (ISO/IEC 18004, version 40 with error correction M).
pub(crate) const MAX_LENGTH: usize = 2331;

/// Width and height of a module, in pixels: as many as a byte has bits, so that each byte of the picture is one.
const PIXELS: usize = 8;

/// The margin that scanners need, in modules (ISO/IEC 18004).
const MARGIN: usize = 4;

/// Why there is no QR code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QrCodeError {
    #[error(transparent)]
    Text(#[from] QrError),
    #[error(transparent)]
    Picture(#[from] png::EncodingError),
}

/// The QR code of `text` as a `data:image/png;base64,…` URI, as WorkOS gives it.
pub(crate) fn data_uri(text: &str) -> Result<String, QrCodeError> {
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png(text)?)))
}

/// Black and white, one bit per pixel.
fn png(text: &str) -> Result<Vec<u8>, QrCodeError> {
    const WHITE: u8 = 0xff;
    const BLACK: u8 = 0x00;
    let code = QrCode::new(text)?;
    let modules = code.width() + 2 * MARGIN;
    let blank = vec![WHITE; modules];
    let mut rows = vec![blank.clone(); MARGIN];
    rows.extend(code.to_colors().chunks(code.width()).map(|colors| {
        let mut row = blank.clone();
        for (module, color) in row.iter_mut().skip(MARGIN).zip(colors) {
            if *color == Color::Dark {
                *module = BLACK;
            }
        }
        row
    }));
    rows.extend(vec![blank; MARGIN]);
    let data: Vec<u8> = rows.iter().flat_map(|row| row.repeat(PIXELS)).collect();

    let mut file = Vec::new();
    // At most (177 + 8) modules of 8 pixels.
    let size = u32::try_from(modules * PIXELS).unwrap_or(u32::MAX);
    let mut encoder = Encoder::new(&mut file, size, size);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(file)
}

/// The text that a scanner reads from the picture of a `data:` URI.
#[cfg(test)]
pub(crate) fn scan(data_uri: &str) -> String {
    let file = data_uri.strip_prefix("data:image/png;base64,").unwrap();
    let file = STANDARD.decode(file).unwrap();
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let picture = reader.next_frame(&mut pixels).unwrap();
    let width = picture.width as usize;
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, picture.height as usize, |x, y| {
        pixels[y * width + x]
    });
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scanner_reads_the_text() {
        for text in [
            "otpauth://totp/Foo:ada?secret=JBSWY3DPEHPK3PXP&issuer=Foo",
            "ä",
            &"x".repeat(600),
        ] {
            assert_eq!(scan(&data_uri(text).unwrap()), text);
        }
    }

    #[test]
    fn the_longest_text_fits_and_a_longer_one_is_refused() {
        assert!(data_uri(&"~".repeat(MAX_LENGTH)).is_ok());
        assert!(data_uri(&"~".repeat(MAX_LENGTH + 1)).is_err());
    }
}
