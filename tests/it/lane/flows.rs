//! Flows for the shorter way, made up: every kind of expression that it knows, in every place where it may stand.

use std::fmt::Write as _;

use rand::{RngExt as _, rngs::StdRng, seq::IndexedRandom as _};

/// Makes a flow that reads invoices and writes orders.
pub(super) struct Flows<'d> {
    pub(super) dice: &'d mut StdRng,
    texts: Vec<String>,
    numbers: Vec<String>,
    answers: Vec<String>,
    /// The rows in hand, by their names.
    rows: Vec<String>,
    made: usize,
}

/// So deep an expression goes.
const DEPTH: u32 = 3;

impl<'d> Flows<'d> {
    pub(super) fn new(dice: &'d mut StdRng) -> Self {
        Self { dice, texts: Vec::new(), numbers: Vec::new(), answers: Vec::new(), rows: Vec::new(), made: 0 }
    }

    fn below(&mut self, end: usize) -> usize {
        self.dice.random_range(0..end)
    }

    fn one(&mut self, of: &[&str]) -> String {
        (*of.choose(self.dice).unwrap()).to_owned()
    }

    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{}", self.made)
    }

    /// A whole flow.
    pub(super) fn flow(&mut self) -> String {
        let mut flow = "flow mapping \"made up\"\n\nsetting administration : afas.Profit_Administrations.AdminId\n\n\
                        read invoice from jortt.invoices {\n  since change\n  key   .id\n}\n\n"
            .to_owned();
        for _ in 0..self.below(8) {
            let line = self.name_a_value();
            flow += &line;
        }
        for _ in 0..self.below(5) {
            let line = self.guard();
            flow += &line;
        }
        let target = match self.below(4) {
            0 => format!("afas.FbSales when {}", self.answer(DEPTH)),
            1 => format!("afas.FbSales when {}, afas.FbSalesQuotation when {}", self.answer(DEPTH), self.answer(DEPTH)),
            _ => "afas.FbSales".to_owned(),
        };
        write!(
            flow,
            "\ncreate sale in {target} gives .OrNu {{\n  OrNu = first_chars(\"J{{invoice.invoice_number!}}\", 11)\n  \
             OrDa = invoice.invoice_date!\n  DbId = \"10001\"\n  Unit = administration\n"
        )
        .unwrap();
        for (field, most) in [("ExAd", 255), ("Fref", 30)] {
            if self.below(3) > 0 {
                let text = self.text(DEPTH);
                writeln!(flow, "  {field} = first_chars({text}, {most})").unwrap();
            }
        }
        if self.below(3) > 0 {
            let (text, answer) = (self.text(DEPTH), self.answer(DEPTH));
            writeln!(flow, "  Re = {text}\n  InVa = {answer}").unwrap();
        }
        if self.below(5) > 0 {
            flow += &self.lines();
        }
        flow += "}\n";
        flow + FUNCTIONS
    }

    /// A guard, or a warning.
    fn guard(&mut self) -> String {
        let (verdict, when, text) = (self.one(&["skip", "hold", "fail", "warn", "warn"]), self.answer(2), self.text(2));
        let number = self.number(1);
        format!("{verdict} when {when} and known({number}) > {} because \"it is {{said({text})}}\"\n", self.below(9))
    }

    fn name_a_value(&mut self) -> String {
        let (kind, value) = match self.below(3) {
            0 => ("text", self.text(DEPTH)),
            1 => ("number", self.number(DEPTH)),
            _ => ("answer", self.answer(DEPTH)),
        };
        let name = self.name(kind);
        let line = format!("let {name} = {value}\n");
        let known = match kind {
            "text" => &mut self.texts,
            "number" => &mut self.numbers,
            _ => &mut self.answers,
        };
        known.push(name);
        line
    }

    fn lines(&mut self) -> String {
        let known = (self.texts.len(), self.numbers.len(), self.answers.len());
        let when = if self.below(3) == 0 { format!(" when {}", self.of_row("line", 2)) } else { String::new() };
        let mut lines = format!(
            "\n  Lines = each line in invoice.line_items{when} {{\n    VaIt = \"Artikel\"\n    BiUn = \"STK\"\n"
        );
        self.rows.push("line".to_owned());
        for _ in 0..self.below(4) {
            let line = self.name_a_value();
            write!(lines, "    {line}").unwrap();
        }
        if self.below(6) == 0 {
            let guard = self.guard();
            write!(lines, "    {guard}").unwrap();
        }
        let (text, code, number, answer) = (self.text(DEPTH), self.text(2), self.number(DEPTH), self.answer(DEPTH));
        writeln!(
            lines,
            "    ItCd = first_chars(perhaps({code}) ?? \"X\", 40)\n    Ds = first_chars({text}, 80)\n    QuUn = round(known({number}), 5)\n    \
             NoIn = {answer}\n    Upri = line.amount\n  }}"
        )
        .unwrap();
        self.rows.pop();
        self.texts.truncate(known.0);
        self.numbers.truncate(known.1);
        self.answers.truncate(known.2);
        lines
    }

    /// An answer about a row.
    fn of_row(&mut self, row: &str, depth: u32) -> String {
        self.rows.push(row.to_owned());
        let answer = self.answer(depth);
        self.rows.pop();
        answer
    }

    fn row(&mut self, field: &str) -> Option<String> {
        self.rows.choose(self.dice).map(|row| format!("{row}.{field}"))
    }

    /// A value of each row, or of some.
    fn of_rows(&mut self, item: impl FnOnce(&mut Self) -> String) -> String {
        let name = self.name("row");
        let when = if self.below(2) == 0 { format!(" when {}", self.of_row(&name, 1)) } else { String::new() };
        self.rows.push(name.clone());
        let item = item(self);
        self.rows.pop();
        format!("{item} for {name} in invoice.line_items{when}")
    }

    fn text(&mut self, depth: u32) -> String {
        let plain = |this: &mut Self| match this.below(4) {
            0 => this.one(&["\"a\"", "\"é \\\" x\"", "\"nl\"", "\"Straatweg 12 b\""]),
            1 if !this.texts.is_empty() => this.texts.choose(this.dice).unwrap().clone(),
            2 => this.row("description").unwrap_or_else(|| "invoice.reference".to_owned()),
            _ => this.one(&[
                "invoice.customer_company_name",
                "invoice.remarks",
                "invoice.customer_attn",
                "invoice.reference",
                "invoice.introduction",
                "invoice.customer_address_street",
                "invoice.language",
            ]),
        };
        if depth == 0 {
            return plain(self);
        }
        match self.below(12) {
            0 => format!("\"{{said({})}} and {{known({})}}\"", self.text(depth - 1), self.number(depth - 1)),
            1 => format!("first_chars({}, {})", self.text(depth - 1), self.below(12)),
            2 => format!("{}({})", self.one(&["upper", "trim", "lower"]), self.text(depth - 1)),
            3 => format!("(perhaps({}) ?? {})", self.text(depth - 1), self.text(depth - 1)),
            4 => {
                let (one, when, other) = (self.text(depth - 1), self.answer(depth - 1), self.text(depth - 1));
                let more = format!("({one} when {when} else {other})");
                if self.below(2) == 0 {
                    more
                } else {
                    more.replacen(" else", " else \"z\" when invoice.net_amounts else", 1)
                }
            }
            5 => {
                let pattern = self.one(&["/^\\D+\\s(\\d+\\D*)$/", "/(\\d+)/", "/^(\\w+)/"]);
                format!("part({}, {pattern})", self.text(depth - 1))
            }
            6 => {
                let items: Vec<String> = (0..=self.below(3)).map(|_| self.text(depth - 1)).collect();
                format!("join([{}], {})", items.join(", "), self.one(&["\"-\"", "\", \"", "\"é\""]))
            }
            7 => format!("join({}, \"; \")", self.of_rows(|this| this.text(depth - 1))),
            8 => format!("kind_of({}, {})", self.text(depth - 1), self.number(depth - 1)),
            9 => format!("named({}, {})", self.text(depth - 1), self.number(depth - 1)),
            10 => format!("first(invoice.line_items.{})", self.one(&["description", "ledger_account_id"])),
            _ => plain(self),
        }
    }

    fn number(&mut self, depth: u32) -> String {
        let plain = |this: &mut Self| match this.below(4) {
            0 => this.one(&["0", "3", "0.5", "12.25"]),
            1 if !this.numbers.is_empty() => this.numbers.choose(this.dice).unwrap().clone(),
            2 => this.row("quantity").unwrap_or_else(|| "count(invoice.line_items)".to_owned()),
            _ => {
                this.one(&["count(invoice.discounts)", "days_between(invoice.invoice_date, invoice.invoice_due_date)"])
            }
        };
        if depth == 0 {
            return plain(self);
        }
        match self.below(9) {
            0 => format!("({} {} {})", self.number(depth - 1), self.one(&["+", "-", "*"]), self.number(depth - 1)),
            1 => format!("abs({})", self.number(depth - 1)),
            2 => format!("round({}, {})", self.number(depth - 1), self.below(3)),
            3 => format!("(weight({}, no) ?? {})", self.number(depth - 1), self.number(depth - 1)),
            4 => format!("({} when {})", self.number(depth - 1), self.answer(depth - 1)),
            5 | 6 => format!("sum({})", self.of_rows(|this| this.number(depth - 1))),
            7 => format!("weight({}, {})", self.number(depth - 1), self.answer(depth - 1)),
            _ => plain(self),
        }
    }

    fn answer(&mut self, depth: u32) -> String {
        if depth == 0 {
            if !self.answers.is_empty() && self.below(2) == 0 {
                return self.answers.choose(self.dice).unwrap().clone();
            }
            return self.one(&[
                "yes",
                "(invoice.net_amounts ?? no)",
                "invoice.reference is blank",
                "(invoice.list is \"sent\")",
            ]);
        }
        match self.below(8) {
            0 => format!("({} and {})", self.answer(depth - 1), self.answer(depth - 1)),
            1 => format!("({} or {})", self.answer(depth - 1), self.answer(depth - 1)),
            2 => format!("(not {})", self.answer(depth - 1)),
            3 => format!(
                "(known({}) {} known({}))",
                self.number(depth - 1),
                self.one(&["<", "<=", ">", ">="]),
                self.number(depth - 1)
            ),
            4 => format!("(perhaps({}) is {})", self.text(depth - 1), self.text(depth - 1)),
            5 => format!("(perhaps({}) is {}blank)", self.text(depth - 1), self.one(&["", "not "])),
            6 => format!("(perhaps({}) in [\"nl\", \"a\", \"é\"])", self.text(depth - 1)),
            _ => format!("(known({}) is {})", self.number(depth - 1), self.number(depth - 1)),
        }
    }
}

/// What flows call: functions, and a table with values, texts that are worked out, and an end.
const FUNCTIONS: &str = r#"
define named(text: text?, number: decimal?): text? =
  first_chars(join([text, "!"], "") ?? "none", 20) when known(number) > 1 else text

define perhaps(text: text?): text? = text

define said(text: text?): text = text ?? "?"

define known(number: decimal?): decimal = number ?? 0

define weight(number: decimal?, heavy: bool): decimal? = number * 2 when heavy else number

table kind_of first {
  text: text? | number: decimal? => kind: text?
  "nl"        | *                => "Dutch"
  "a", "é"    | < 2              => "small {said(text)}"
  "a"         | >= 2             => "large {known(number)}"
  blank       | *                => "none"
  *           | > 40             => hold "no kind of {said(text)} with {known(number)}"
  otherwise                      => "other"
}
"#;
