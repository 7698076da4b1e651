//! How an environment looks: the initials of its name, and its own colour as a style sheet that stands behind the common one.

/// The first letters of the first two words of `name`, for the tile that stands before it.
pub(crate) fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()))
        .take(2)
        .flat_map(char::to_uppercase)
        .collect()
}

/// Where the pages look for the style sheet of `color`, which is `#rrggbb`.
pub(super) fn path(color: &str) -> String {
    format!("/authkit/brand-{}.css", color.trim_start_matches('#'))
}

/// The style sheet at `path`, where it is one of ours. It is made of the colour in its name alone.
pub(super) fn style(path: &str) -> Option<String> {
    let hex = path.strip_prefix("/authkit/brand-")?.strip_suffix(".css")?;
    css(&format!("#{hex}"))
}

/// The custom properties that `color` makes of the common style sheet, for both schemes.
pub(crate) fn css(color: &str) -> Option<String> {
    let accent = Color::parse(color)?;
    let light = accent.scheme(WHITE, BLACK);
    let dark = accent.scheme(DARK_SURFACE, WHITE);
    Some(format!(
        ":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    ))
}

/// Whether a setting is a colour as [`style`] takes it.
pub(crate) fn is_color(text: &str) -> bool {
    Color::parse(text).is_some()
}

const WHITE: Color = Color([255.0; 3]);
const BLACK: Color = Color([0.0; 3]);
/// `--surface` of the dark scheme.
const DARK_SURFACE: Color = Color([23.0, 24.0, 30.0]);

/// Red, green and blue, 0 to 255.
#[derive(Clone, Copy, PartialEq)]
struct Color([f64; 3]);

impl Color {
    fn parse(text: &str) -> Option<Self> {
        let hex = text
            .strip_prefix('#')
            .filter(|hex| hex.len() == 6 && hex.is_ascii())?;
        let channel = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok().map(f64::from);
        // `from_str_radix` takes a sign as well.
        let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then_some(Self([channel(0)?, channel(2)?, channel(4)?]))
    }

    /// The custom properties on this surface. Text reaches a contrast of 4.5:1, whatever the colour.
    fn scheme(self, surface: Self, far: Self) -> String {
        let on_accent = if self.contrast(WHITE) >= self.contrast(BLACK) {
            WHITE
        } else {
            BLACK
        };
        let away_from_text = if on_accent == WHITE { BLACK } else { WHITE };
        let readable = (0..=20).map(|step| self.mixed(far, f64::from(step) / 20.0));
        let text = readable
            .into_iter()
            .find(|color| color.contrast(surface) >= 4.9)
            .unwrap_or(far);
        format!(
            "--accent: {}; --accent-strong: {}; --accent-text: {}; --accent-soft: {}; --on-accent: {};",
            self.hex(),
            self.mixed(away_from_text, 0.12).hex(),
            text.hex(),
            self.mixed(surface, 0.88).hex(),
            on_accent.hex(),
        )
    }

    fn mixed(self, other: Self, share: f64) -> Self {
        let channel = |at: usize| self.0[at] * (1.0 - share) + other.0[at] * share;
        Self([channel(0), channel(1), channel(2)])
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = self.0.map(|channel| {
            let channel = channel / 255.0;
            if channel <= 0.04045 {
                channel / 12.92
            } else {
                ((channel + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!(
            "#{:02x}{:02x}{:02x}",
            red.round() as u8,
            green.round() as u8,
            blue.round() as u8
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(style: &str, name: &str) -> Vec<Color> {
        let name = format!("{name}: ");
        let values = style.split(&name).skip(1).map(|rest| rest.split(';').next());
        values
            .map(|value| Color::parse(value.unwrap()).unwrap())
            .collect()
    }

    #[test]
    fn any_colour_leaves_text_readable_in_both_schemes() {
        for color in [
            "#5650d6", "#ffffff", "#000000", "#ffff00", "#0ea5e9", "#7f7f7f", "#ff0000",
        ] {
            let style = style(&path(color)).unwrap();
            let texts = property(&style, "--accent-text");
            assert!(texts[0].contrast(WHITE) >= 4.5, "{color}: {style}");
            assert!(texts[1].contrast(DARK_SURFACE) >= 4.5, "{color}: {style}");
            for (background, on) in property(&style, "--accent")
                .iter()
                .zip(property(&style, "--on-accent"))
            {
                assert!(background.contrast(on) >= 4.5, "{color}: {style}");
            }
            for (background, on) in property(&style, "--accent-strong")
                .iter()
                .zip(property(&style, "--on-accent"))
            {
                assert!(background.contrast(on) >= 4.5, "{color}: {style}");
            }
            for (soft, text) in property(&style, "--accent-soft").iter().zip(texts) {
                assert!(soft.contrast(text) >= 4.0, "{color}: {style}");
            }
        }
    }

    #[test]
    fn nothing_but_a_colour_becomes_a_style_sheet() {
        for path in [
            "/authkit/brand-.css",
            "/authkit/brand-+1+1+1.css",
            "/authkit/brand-red}x{.css",
            "/authkit/brand-12345é.css",
            "/authkit/brand-5650d6",
        ] {
            assert_eq!(style(path), None, "{path}");
        }
    }
}
