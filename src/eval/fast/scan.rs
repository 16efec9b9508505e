//! Texts of JSON as bytes: where one ends, what stands in one with escapes, and how one is written.
//!
//! Takes bytes from behind a first quote on, or characters, gives places or bytes. Eight bytes are looked at together.

/// Where a text of JSON ends, from behind its first quote on: the place of the other one, and whether it has escapes.
/// None: it does not end, or a control character is in it.
#[inline]
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    // Half of them are shorter than this.
    let end = match bytes.get(at..)?.first_chunk().map(|chunk| special(u64::from_le_bytes(*chunk))) {
        Some(0) => next_special(bytes, at + 8)?,
        Some(found) => at + place(found),
        None => next_special(bytes, at)?,
    };
    if *bytes.get(end)? == b'"' { Some((end, false)) } else { escaped_end(bytes, end).map(|end| (end, true)) }
}

/// The same, from a backslash on.
#[inline(never)]
fn escaped_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while *bytes.get(at)? == b'\\' {
        at = next_special(bytes, at + 2)?;
    }
    (*bytes.get(at)? == b'"').then_some(at)
}

/// The first place from this one on of a quote, a backslash or a control character.
#[inline(never)]
fn next_special(bytes: &[u8], at: usize) -> Option<usize> {
    let (chunks, rest) = bytes.get(at..)?.as_chunks::<8>();
    let mut from = at;
    for chunk in chunks {
        let found = special(u64::from_le_bytes(*chunk));
        if found != 0 {
            return Some(from + place(found));
        }
        from += 8;
    }
    rest.iter().position(|byte| is_special(*byte)).map(|place| from + place)
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\')
}

/// Does JSON write one of these characters in another way?
pub(super) fn needs_escapes(text: &str) -> bool {
    next_special(text.as_bytes(), 0).is_some()
}

/// Of the lowest byte whose high bit is set.
fn place(found: u64) -> usize {
    found.trailing_zeros() as usize / 8
}

/// The high bit of each byte that is a quote, a backslash or a control character; right for the lowest one.
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte that is none of them lends nothing: it stays below the high bit, or has it from the beginning.
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    let control = word.wrapping_sub(ONES * 0x20);
    (quote | backslash | control) & !word & HIGH
}

/// Adds the characters that stand in a text of JSON between its quotes, and tells whether JSON writes them as they are.
/// None: an escape is wrong.
pub(super) fn unescape(text: &str, into: &mut String) -> Option<bool> {
    let (mut plain, mut rest) = (true, text);
    while let Some(before) = memchr::memchr(b'\\', rest.as_bytes()) {
        into.push_str(rest.get(..before)?);
        let escape = rest.get(before + 1..)?;
        let (letter, length) = match escape.as_bytes().first()? {
            b'n' => ('\n', 1),
            b'"' => ('"', 1),
            b'\\' => ('\\', 1),
            b'/' => ('/', 1),
            b't' => ('\t', 1),
            b'r' => ('\r', 1),
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            b'u' => match unit(escape.get(1..5)?)? {
                // The first half of a character beyond the first 65,536.
                first @ 0xd800..0xdc00 => {
                    let second = unit(escape.get(5..)?.strip_prefix("\\u")?.get(..4)?)?;
                    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                    (char::from_u32(0x1_0000 + ((first - 0xd800) << 10 | low))?, 11)
                }
                only => (char::from_u32(only)?, 5),
            },
            _ => return None,
        };
        plain &= !u8::try_from(letter).is_ok_and(is_special);
        into.push(letter);
        rest = escape.get(length..)?;
    }
    into.push_str(rest);
    Some(plain)
}

/// Four hexadecimal digits.
fn unit(digits: &str) -> Option<u32> {
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Writes a text as JSON has it, without its quotes.
pub(super) fn escape(text: &str, into: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = next_special(bytes, from) {
        into.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        let byte = bytes.get(at).copied().unwrap_or_default();
        match byte {
            b'"' => into.extend_from_slice(b"\\\""),
            b'\\' => into.extend_from_slice(b"\\\\"),
            b'\n' => into.extend_from_slice(b"\\n"),
            b'\r' => into.extend_from_slice(b"\\r"),
            b'\t' => into.extend_from_slice(b"\\t"),
            8 => into.extend_from_slice(b"\\b"),
            12 => into.extend_from_slice(b"\\f"),
            other => {
                let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
                into.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(other >> 4), digit(other & 15)]);
            }
        }
        from = at + 1;
    }
    into.extend_from_slice(bytes.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Characters with a meaning in texts of JSON, and others.
    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\\"),
            Just("\""),
            Just("\\\\"),
            Just("\\n"),
            Just("\\u00e9"),
            Just("\\u0001"),
            Just("\\u+041"),
            Just("\\ud83d"),
            Just("\\ude00"),
            Just("\\ud83d\\ude00"),
            Just("\n"),
            Just("\u{1f}\u{7f}"),
            Just("é"),
            Just("eight by"),
            Just("x"),
            Just("u"),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_text_with_escapes_is_read_as_serde_json_reads_it(text in texts()) {
            let quoted = format!("\"{text}\"");
            let parsed: Option<String> = serde_json::from_str(&quoted).ok();
            let mut made = String::new();
            let own = string_end(quoted.as_bytes(), 1).filter(|(end, _)| end + 1 == quoted.len());
            let own = own.and_then(|_| unescape(&text, &mut made));
            prop_assert_eq!(own.map(|_| &made), parsed.as_ref());
            if let Some(plain) = own {
                prop_assert_eq!(plain, !needs_escapes(&made));
            }
        }

        #[test]
        fn a_text_is_written_as_serde_json_writes_it(text in texts(), more in any::<String>()) {
            for text in [text, more] {
                let mut written = Vec::new();
                escape(&text, &mut written);
                let whole = [b"\"", &written[..], b"\""].concat();
                prop_assert_eq!(String::from_utf8(whole).unwrap(), serde_json::to_string(&text).unwrap());
                prop_assert_eq!(needs_escapes(&text), written != text.as_bytes());
            }
        }
    }
}
