//! Input that means harm, or looks like it: texts that are syntax elsewhere, and answers that no honest system gives.

mod answers;
mod memory;
mod questions;
mod shown;

/// Texts that mean something in a filter, an address, JSON, SQL, CSV, HTML, a shell or a terminal.
pub(crate) fn texts() -> Vec<String> {
    let texts = [
        "a,b@x.example",
        "a;b@x.example",
        "100%;1,1",
        "%2C%3B%00",
        "O'Brien \"the\" `baker`",
        "a&filtervalues=*&operatortypes=9",
        "a#b?c=d",
        "../../v1/customers",
        "..",
        "[is]{leeg}<b>|",
        "\\\",\"#text\":\"*\"",
        "'; DROP TABLE record; --",
        "=1+1|cmd",
        "$(reboot)`reboot`",
        "{invoice.id}",
        "a\tb\u{b}c",
        "a\r\nb: c\n{\"kind\":\"done\"}",
        "nul\0nul",
        "\u{1b}[2J\u{1b}]0;x\u{7}",
        "\u{9b}31m red",
        "\u{202e}elpmaxe.x@ofni",
        "\u{2066}iso\u{2069}\u{200f}\u{200b}lated",
        "\u{feff}mark",
        "two\u{2028}lines\u{2029}",
        "e\u{301}, \u{1f469}\u{200d}\u{1f680} \u{df}\u{130}",
        "\u{e0041}\u{e007f}tagged",
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
    ];
    texts.into_iter().map(ToOwned::to_owned).chain([format!("{},{}", "long ".repeat(2000), "x")]).collect()
}
