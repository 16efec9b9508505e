//! Texts of JSON as bytes: where one ends, what stands in one with escapes, and how one is written.
//!
//! Takes bytes from behind a first quote on, or characters, gives places or bytes. Sixteen bytes are looked at together.

use wide::u8x16;

use super::super::output::Output;

/// How many bytes are looked at together.
pub(super) const CHUNK: usize = 16;

/// Where a text of JSON ends, from behind its first quote on: the place of the other one, and whether it has escapes.
/// None: it does not end, or a control character is in it.
#[inline]
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let end = next_special(bytes, at)?;
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
#[inline]
fn next_special(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..)?.first_chunk() {
        let found = special(*chunk);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize);
        }
        at += CHUNK;
    }
    last_special(bytes, at)
}

/// The same, where fewer bytes are left than are looked at together.
#[inline(never)]
fn last_special(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.iter().position(|byte| is_special(*byte)).map(|place| at + place)
}

/// A bit for each quote, backslash and control character.
fn special(chunk: [u8; CHUNK]) -> u32 {
    let chunk = u8x16::from(chunk);
    let control = chunk.min(u8x16::splat(0x1f)).simd_eq(chunk);
    (chunk.simd_eq(u8x16::splat(b'"')) | chunk.simd_eq(u8x16::splat(b'\\')) | control).to_bitmask()
}

fn is_special(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\')
}

/// Does JSON write one of these characters in another way?
pub(super) fn needs_escapes(text: &str) -> bool {
    next_special(text.as_bytes(), 0).is_some()
}

/// Adds the characters that stand in a text of JSON between its quotes, and tells whether JSON writes them as they are.
/// None: an escape is wrong.
pub(super) fn unescape(text: &str, into: &mut Output) -> Option<bool> {
    let (mut plain, mut rest) = (true, text);
    while let Some(before) = memchr::memchr(b'\\', rest.as_bytes()) {
        into.bytes(rest.get(..before)?.as_bytes());
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
        into.bytes(letter.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(length..)?;
    }
    into.bytes(rest.as_bytes());
    Some(plain)
}

/// Four hexadecimal digits.
fn unit(digits: &str) -> Option<u32> {
    let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// Writes the bytes of a text as JSON has it, without its quotes.
pub(super) fn escape(bytes: &[u8], into: &mut Output) {
    let mut from = 0;
    while let Some(at) = next_special(bytes, from) {
        into.bytes(bytes.get(from..at).unwrap_or_default());
        match bytes.get(at).copied().unwrap_or_default() {
            b'"' => into.word(b"\\\""),
            b'\\' => into.word(b"\\\\"),
            b'\n' => into.word(b"\\n"),
            b'\r' => into.word(b"\\r"),
            b'\t' => into.word(b"\\t"),
            8 => into.word(b"\\b"),
            12 => into.word(b"\\f"),
            other => {
                let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
                into.word(&[b'\\', b'u', b'0', b'0', digit(other >> 4), digit(other & 15)]);
            }
        }
        from = at + 1;
    }
    into.bytes(bytes.get(from..).unwrap_or_default());
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
            let mut output = Output::default();
            let own = string_end(quoted.as_bytes(), 1).filter(|(end, _)| end + 1 == quoted.len());
            let own = own.and_then(|_| unescape(&text, &mut output));
            let made = str::from_utf8(output.written()).unwrap();
            prop_assert_eq!(own.map(|_| made), parsed.as_deref());
            if let Some(plain) = own {
                prop_assert_eq!(plain, !needs_escapes(made));
            }
        }

        #[test]
        fn a_text_is_written_as_serde_json_writes_it(text in texts(), more in any::<String>()) {
            for text in [text, more] {
                let mut output = Output::default();
                escape(text.as_bytes(), &mut output);
                let written = output.written();
                let whole = [b"\"", written, b"\""].concat();
                prop_assert_eq!(String::from_utf8(whole).unwrap(), serde_json::to_string(&text).unwrap());
                prop_assert_eq!(needs_escapes(&text), written != text.as_bytes());
            }
        }
    }
}
