//! Characters that steer a terminal, turn the direction of writing, or that nobody sees: how they are shown.
//!
//! Takes texts from anywhere, gives texts in which each of these is written out, for people (`\u{1b}`) or in JSON
//! (`\u001b`). Promises that what is shown looks like what it is, and that nothing else is touched: joiners stay, since
//! names in some scripts are written with them.

use std::borrow::Cow;

/// Is it one of them?
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// As a person sees it: `\u{1b}`.
#[must_use]
pub fn written_out(c: char) -> String {
    format!("\\u{{{:x}}}", u32::from(c))
}

/// One line for people.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    replaced(text, is_hidden, written_out)
}

/// A line of JSON that means the same.
#[must_use]
pub fn shown_json(json: &str) -> Cow<'_, str> {
    replaced(json, is_hidden, |c| {
        c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}"))
    })
}

/// A text of several lines for people; tabs stay as well.
#[must_use]
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    replaced(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'), written_out)
}

fn replaced(text: &str, which: impl Fn(char) -> bool, by: impl Fn(char) -> String) -> Cow<'_, str> {
    // Nearly all is plain, and looked at without a branch that takes a hundredth of the time.
    let plain = text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    if plain || !text.chars().any(&which) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if which(c) { out.push_str(&by(c)) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_hides_is_written_out_and_nothing_else() {
        assert_eq!(shown("a\u{1b}[2J\u{202e}b\n"), "a\\u{1b}[2J\\u{202e}b\\u{a}");
        assert_eq!(shown_lines("a\n\tb\r"), "a\n\tb\\u{d}");
        let plain = "Ça va, \u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{1f469}\u{200d}\u{1f680}";
        assert!(matches!(shown(plain), Cow::Borrowed(_)));
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let text = "\u{202e}\u{9b}\u{e0041}x";
        let json = serde_json::to_string(text).unwrap();
        assert_eq!(shown_json(&json), r#""\u202e\u009b\udb40\udc41x""#);
        assert_eq!(serde_json::from_str::<String>(&shown_json(&json)).unwrap(), text);
    }
}
