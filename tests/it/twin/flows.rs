//! Small flows, made of what a flow can say: names, guards, choices, searches, tables, functions, lists, ensures,
//! loops. Most of them check without a mistake; the others are not run.

use std::fmt::Write as _;

use super::world::Picks;

/// A flow under way.
struct Maker<'a> {
    picks: Picks<'a>,
    /// Names that are visible: the expression, its type, whether it may be blank.
    names: Vec<(String, Type, bool)>,
    next: usize,
    /// Hardly anything ends the record, so that what stands last is come to.
    calm: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Int,
    Money,
    Date,
    Bool,
}

/// The text of a flow that these numbers say.
pub(super) fn flow(numbers: &[u16]) -> String {
    let mut maker = Maker { picks: Picks(numbers.iter()), names: Vec::new(), next: 0, calm: false };
    maker.calm = maker.picks.of(2) == 0;
    let invoice = [
        ("invoice.invoice_number", Type::Text, true),
        ("invoice.reference", Type::Text, true),
        ("invoice.customer_company_name", Type::Text, true),
        ("invoice.id", Type::Text, false),
        ("invoice.invoice_total", Type::Money, true),
        ("invoice.invoice_due_amount", Type::Money, true),
        ("invoice.invoice_date", Type::Date, true),
        ("invoice.invoice_due_date", Type::Date, true),
        ("invoice.net_amounts", Type::Bool, true),
        ("count(invoice.line_items)", Type::Int, false),
    ];
    maker.names.extend(invoice.map(|(name, ty, blank)| (name.to_owned(), ty, blank)));
    maker.whole()
}

impl Maker<'_> {
    fn whole(&mut self) -> String {
        let mut text = "flow small \"Small\"\n\nread invoice from jortt.invoices {\n".to_owned();
        if self.picks.of(3) == 0 {
            text += match self.picks.of(4) {
                0 => "  where .list is \"sent\"\n",
                1 => "  where .invoice_total is not 0\n",
                2 => "  where .reference is blank or .invoice_date >= 2026-01-01\n",
                _ => "  where not (.list is \"paid\" and .net_amounts)\n",
            };
        }
        text += "  since change\n  key   .id\n}\n\n";
        text += "find customer in jortt.customers where .id is invoice.customer_id\n";
        self.names.push(("customer.customer_name".into(), Type::Text, true));
        self.names.push(("customer.reference".into(), Type::Text, true));
        self.names.push(("customer.payment_term".into(), Type::Int, true));
        for _ in 0..2 + self.picks.of(6) {
            text += &self.statement("");
        }
        text += &self.item_ensure("", "item");
        for _ in 0..self.picks.of(3) {
            text += &self.statement("");
        }
        text += &self.sale();
        if self.picks.of(3) == 0 {
            text += &self.each();
        }
        if self.picks.of(3) == 0 {
            text += &self.update();
        }
        if self.picks.of(3) == 0 {
            text += &self.after();
        }
        text + TABLES
    }

    fn fresh(&mut self, word: &str) -> String {
        self.next += 1;
        format!("{word}_{}", self.next)
    }

    /// A let, a find or a guard.
    fn statement(&mut self, indent: &str) -> String {
        match self.picks.of(9) {
            0..=2 => {
                let ty = self.ty();
                let (value, blank) = self.expr(ty, 3);
                let name = self.fresh("value");
                self.names.push((name.clone(), ty, blank));
                let limit = if ty == Type::Text && !blank && self.picks.of(6) == 0 { ": text(11)" } else { "" };
                format!("{indent}let {name}{limit} = {value}\n")
            }
            3 => {
                let name = self.fresh("row");
                let key = self.text(2);
                let mode = if self.picks.of(2) == 0 { "first " } else { "" };
                let by = if mode.is_empty() { "" } else { " by .ItemCode" };
                let entity = "afas.Profit_Article";
                let condition = self.condition(&key);
                self.names.push((format!("{name}.Description"), Type::Text, true));
                self.names.push((format!("{name}.Blocked"), Type::Bool, true));
                format!("{indent}find {mode}{name} in {entity} where {condition}{by}\n")
            }
            4 => {
                let name = self.fresh("rows");
                let key = self.text(2);
                let condition = self.condition(&key);
                self.names.push((format!("join({name}.ItemCode, \"+\")"), Type::Text, true));
                self.names.push((format!("count({name})"), Type::Int, false));
                format!("{indent}find all {name} in afas.Profit_Article where {condition} by .ItemCode\n")
            }
            5 => {
                let name = self.fresh("texts");
                let when = self.bool(2);
                let each = self.fresh("each");
                let item =
                    [".description", ".ledger_account_id ?? \"?\"", ".description ?? invoice.id"][self.picks.of(3)];
                self.names.push((format!("join({name}, \"/\")"), Type::Text, true));
                format!("{indent}let {name} = [{each}{item} for {each} in invoice.line_items when {when}]\n")
            }
            _ => {
                let verdict = ["warn", "warn", "hold", "skip", "fail"][self.picks.of(if self.calm { 2 } else { 5 })];
                let when = self.bool(3);
                let ty = self.ty();
                let (hole, _) = self.expr(ty, 1);
                let hole = hole.replace('"', "'");
                let hole = if hole.contains('\'') || hole.contains('{') { "invoice.id".to_owned() } else { hole };
                format!("{indent}{verdict} when {when} because \"it says {{{hole}}}\"\n")
            }
        }
    }

    fn condition(&mut self, key: &str) -> String {
        match self.picks.of(7) {
            0 => format!(".ItemCode is {key} and not .Blocked"),
            1 => format!(".ItemCode in [{key}, \"ADV\"]"),
            2 => format!(".ArtGroup is {key} or .ItemCode is \"ADV\""),
            3 => format!(".ItemCode is not {key} and .Description is not blank"),
            4 => format!("(.ItemCode is {key} or .Blocked) and .UnitId is not blank"),
            5 => format!("not (.Description is {key})"),
            _ => format!(".ItemCode is {key}"),
        }
    }

    fn item_ensure(&mut self, indent: &str, name: &str) -> String {
        // Often one that the samples have, so that something is found.
        let key = if self.picks.of(2) == 0 { "\"ADV\"".to_owned() } else { self.text(2) };
        let mut text = format!("{indent}ensure {name}: text(40) {{\n");
        if self.picks.of(3) == 0 {
            let (value, when) = (self.text(1), self.bool(2));
            let _ = writeln!(text, "{indent}  take {value} when {when}");
        }
        if self.picks.of(4) == 0 {
            let _ = writeln!(text, "{indent}  let about = found.Description ?? \"nothing\"");
            let _ = writeln!(
                text,
                "{indent}  hold when about is \"{}\" because \"{{about}}\"",
                ["nothing", "Advies", "x"][self.picks.of(3)]
            );
        }
        let _ = writeln!(text, "{indent}  find afas.Profit_Article where .ItemCode is {key} gives .ItemCode");
        if self.picks.of(2) == 0 {
            let other = self.text(1);
            let _ = writeln!(
                text,
                "{indent}  find first afas.Profit_Article where .Barcode is {other} by .ItemCode gives .ItemCode"
            );
        }
        if self.picks.of(2) == 0 {
            let _ = writeln!(text, "{indent}  hold when found.Blocked because \"blocked\"");
        }
        let updates = self.picks.of(2) == 0;
        if updates {
            let when = match self.picks.of(5) {
                0 => format!(" when {}", self.bool(2)),
                1 => " when not found.conflict".to_owned(),
                2 => " when found.edited".to_owned(),
                _ => String::new(),
            };
            let _ = writeln!(text, "{indent}  update found{when}");
        }
        if self.picks.of(5) == 0 {
            let word = ["hold when found.conflict", "warn when found.edited"][self.picks.of(2)];
            let _ = writeln!(text, "{indent}  {word} because \"a person was here\"");
        }
        if self.picks.of(3) == 0 {
            let when = self.bool(2);
            let _ = writeln!(text, "{indent}  warn when {when} because \"not found yet\"");
        }
        let when = if self.picks.of(2) == 0 { format!(" when {}", self.bool(2)) } else { String::new() };
        let (made, name, group) = (self.fresh("made"), self.text(2), self.text(1));
        let _ = writeln!(text, "{indent}  create {made} in afas.FbItemArticle{when} gives .ItCd {{");
        let policies = ["", "", " on create", " unless filled", " unless edited"];
        let mut policy = || if updates { policies[self.picks.of(policies.len())] } else { "" };
        let (of_name, of_group, of_unit) = (policy(), policy(), policy());
        let _ = writeln!(
            text,
            "{indent}    ItCd = first_chars({key}, 40)\n{indent}    Ds = first_chars({name}, 100){of_name}"
        );
        if of_name == " on create" {
            let other = self.text(2);
            let _ = writeln!(text, "{indent}    Ds = first_chars({other}, 100) on update");
        }
        let _ = writeln!(
            text,
            "{indent}    Grp = first_chars({group}, 15){of_group}\n{indent}    BiUn = \"STK\"{of_unit}\n{indent}    VaRc = \"1\""
        );
        if updates && self.picks.of(3) == 0 {
            let when = self.bool(1);
            let _ = writeln!(text, "{indent}    BaCo = clear when {when} else \"871\"");
        }
        let _ = writeln!(text, "{indent}  }}");
        let _ = writeln!(text, "{indent}  hold because \"no item\"\n{indent}}}");
        text
    }

    fn sale(&mut self) -> String {
        let when = if self.picks.of(3) == 0 { format!(" when {}", self.bool(2)) } else { String::new() };
        // Kept in plain, so nobody's name may be in it.
        let number = ["(invoice.invoice_number ?? invoice.id)", "invoice.id", "\"7\""][self.picks.of(3)];
        let date = self.filled(Type::Date, 2);
        let mut text = format!(
            "\ncreate sale in afas.FbSales{when} gives .OrNu {{\n  OrNu = \"J{{first_chars(invoice.id, 8)}}\"\n"
        );
        let _ = writeln!(text, "  OrDa = {date}\n  DbId = \"10021\"\n  RfCs = first_chars({number}, 30)");
        text += "  CuId = \"EUR\"\n  Unit = 1\n  JoCo = \"VERK\"\n  InVa = no\n  VaDu = \"1\"\n  PaCd = \"30\"\n";
        if self.picks.of(2) == 0 {
            let (value, when) = (self.text(2), self.bool(2));
            let _ = writeln!(text, "  Re = {value} when {when}");
        }
        let when = if self.picks.of(3) == 0 { " when line.amount > 0" } else { "" };
        let _ = writeln!(text, "  Lines = each line in invoice.line_items{when} {{");
        let outside = self.names.len();
        self.line_names();
        for _ in 0..self.picks.of(4) {
            text += &self.statement("    ");
        }
        let code = if self.picks.of(2) == 0 {
            text += &self.item_ensure("    ", "of_line");
            "of_line"
        } else {
            "item"
        };
        let described = self.text(2);
        let _ = writeln!(
            text,
            "    VaIt = \"Artikel\"\n    ItCd = {code}\n    Ds = first_chars({described}, 255)\n    BiUn = \"STK\""
        );
        text += "    QuUn = line.quantity\n    Upri = line.amount\n    VaRc = \"1\"\n  }\n}\n";
        self.names.truncate(outside);
        text
    }

    /// A loop of statements with an ensure in it.
    fn each(&mut self) -> String {
        let outside = self.names.len();
        let mut text = "\neach line in invoice.line_items {\n".to_owned();
        self.line_names();
        for _ in 0..=self.picks.of(3) {
            text += &self.statement("  ");
        }
        text += &self.item_ensure("  ", "again");
        self.names.truncate(outside);
        text + "}\n"
    }

    /// An `update` of its own, of the customer or of a debtor.
    fn update(&mut self) -> String {
        let when = if self.picks.of(3) == 0 { format!(" when {}", self.bool(2)) } else { String::new() };
        let (name, mail) = (self.text(2), self.bool(2));
        let mut policy = || ["", "", " unless filled", " unless edited"][self.picks.of(4)];
        let policies = [policy(), policy()];
        if self.picks.of(2) == 0 {
            let [site, phone] = policies;
            return format!(
                "\nupdate afas.KnSalesRelationOrg{when} {{\n  DbId = \"10021\"\n  KnOrganisation {{\n    PadAdr = yes\n    \
                 HoPa = first_chars({name}, 100){site}\n    TeNr = clear when {mail} else \"020\"{phone}\n  }}\n}}\n"
            );
        }
        let [policy, _] = policies;
        format!(
            "\nupdate jortt.customers{when} {{\n  id = invoice.customer_id!\n  customer_name = {name}{policy}\n  \
             phonenumber = clear when {mail} else \"020\"\n}}\n"
        )
    }

    /// The stage behind the sale.
    fn after(&mut self) -> String {
        let outside = self.names.len();
        let when = if self.picks.of(2) == 0 { format!(" when {}", self.bool(2)) } else { String::new() };
        let mut text = format!("\nafter sale{when} {{\n");
        self.names.push(("sale".into(), Type::Text, false));
        for _ in 0..=self.picks.of(3) {
            text += &self.statement("  ");
        }
        let described = self.text(2);
        let _ = writeln!(text, "  create told in jortt.labels gives .id {{\n    description = {described}\n  }}");
        self.names.truncate(outside);
        text + "}\n"
    }

    fn line_names(&mut self) {
        self.names.push(("line.description".into(), Type::Text, true));
        self.names.push(("line.ledger_account_id".into(), Type::Text, true));
        self.names.push(("line.amount".into(), Type::Money, true));
    }

    fn ty(&mut self) -> Type {
        [Type::Text, Type::Int, Type::Money, Type::Date, Type::Bool][self.picks.of(5)]
    }

    /// An expression of a type that is never blank.
    fn filled(&mut self, ty: Type, depth: usize) -> String {
        let (expr, blank) = self.expr(ty, depth);
        if !blank {
            return expr;
        }
        match (if self.calm { 2 } else { self.picks.of(4) }, ty) {
            (0, _) => format!("({expr})!"),
            (1, Type::Text) => format!("(({expr}) ?? hold \"nothing there\")"),
            (_, Type::Text) => format!("(({expr}) ?? \"ADV\")"),
            (_, Type::Int) => format!("(({expr}) ?? 7)"),
            (_, Type::Money) => format!("(({expr}) ?? 1.50)"),
            (_, Type::Date) => format!("(({expr}) ?? 2026-01-01)"),
            (_, Type::Bool) => format!("(({expr}) ?? no)"),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        self.filled(Type::Text, depth)
    }

    /// A condition.
    fn bool(&mut self, depth: usize) -> String {
        self.expr(Type::Bool, depth).0
    }

    /// An expression, and whether it may be blank.
    fn expr(&mut self, ty: Type, depth: usize) -> (String, bool) {
        if depth == 0 || self.picks.of(4) == 0 {
            let own: Vec<_> = self.names.iter().filter(|name| name.1 == ty).cloned().collect();
            let (name, _, blank) = own[self.picks.of(own.len())].clone();
            return (name, blank);
        }
        let below = depth - 1;
        if self.picks.of(5) == 0 {
            let (a, when) = (self.filled(ty, below), self.bool(below));
            return if self.picks.of(2) == 0 {
                (format!("({a} when {when})"), true)
            } else {
                let b = self.filled(ty, below);
                (format!("({a} when {when} else {b})"), false)
            };
        }
        match ty {
            Type::Text => match self.picks.of(8) {
                0 => (["\"ADV\"", "\"x\"", "\"UREN\"", "\"Advies maart\""][self.picks.of(4)].to_owned(), false),
                1 => {
                    let a = self.text(below);
                    (format!("first_chars({a}, {})", self.picks.of(12) + 1), false)
                }
                2 => {
                    let a = self.text(below);
                    (format!("part({a}, /^(\\S+)/)"), true)
                }
                3 => {
                    let (a, b) = (self.text(below), self.text(below));
                    (format!("join([{a}, {b}], \"-\")"), true)
                }
                4 => {
                    let (a, b) = (self.text(below), self.filled(Type::Bool, below));
                    (format!("pick({a}, {b})"), false)
                }
                5 => {
                    let a = self.filled(Type::Int, below);
                    (format!("band({a})"), false)
                }
                6 => {
                    let a = self.text(below);
                    (format!("twice({a})"), true)
                }
                _ => {
                    let ((a, blank), b) = (self.expr(Type::Text, below), self.text(below));
                    if blank { (format!("({a} ?? {b})"), false) } else { (a, false) }
                }
            },
            Type::Int => match self.picks.of(4) {
                0 => (["0", "1", "14", "100"][self.picks.of(4)].to_owned(), false),
                1 => {
                    let (a, b) = (self.filled(Type::Date, below), self.filled(Type::Date, below));
                    (format!("days_between({a}, {b})"), false)
                }
                2 => {
                    let ((a, x), (b, y)) = (self.expr(Type::Int, below), self.expr(Type::Int, below));
                    (format!("({a} {} {b})", ["+", "-", "*"][self.picks.of(3)]), x || y)
                }
                _ => {
                    let each = self.fresh("each");
                    (format!("count([1 for {each} in invoice.line_items when {each}.amount > 0])"), false)
                }
            },
            Type::Money => match self.picks.of(3) {
                0 => ("sum(invoice.line_items.amount)".to_owned(), false),
                1 => {
                    let ((a, x), (b, y)) = (self.expr(Type::Money, below), self.expr(Type::Money, below));
                    (format!("({a} {} {b})", ["+", "-"][self.picks.of(2)]), x || y)
                }
                _ => {
                    let ((a, x), (b, y)) = (self.expr(Type::Money, below), self.expr(Type::Int, below));
                    (format!("({a} {} {b})", ["*", "/"][self.picks.of(2)]), x || y)
                }
            },
            Type::Date => match self.picks.of(3) {
                0 => ("today()".to_owned(), false),
                1 => ("2026-03-14".to_owned(), false),
                _ => {
                    let ((a, x), (b, y)) = (self.expr(Type::Date, below), self.expr(Type::Int, 0));
                    (format!("add_days({a}, {b})"), x || y)
                }
            },
            Type::Bool => match self.picks.of(8) {
                0 => {
                    let (a, b) = (self.bool(below), self.bool(below));
                    (format!("({a} {} {b})", ["and", "or"][self.picks.of(2)]), false)
                }
                1 => {
                    let a = self.bool(below);
                    (format!("(not {a})"), false)
                }
                2 | 3 => {
                    let ty = [Type::Text, Type::Int, Type::Money, Type::Date][self.picks.of(4)];
                    let ((a, _), (b, _)) = (self.expr(ty, below), self.expr(ty, below));
                    (format!("({a} {} {b})", ["is", "is not"][self.picks.of(2)]), false)
                }
                4 => {
                    let ty = [Type::Int, Type::Money, Type::Date][self.picks.of(3)];
                    let (a, b) = (self.filled(ty, below), self.filled(ty, below));
                    (format!("({a} {} {b})", ["<", "<=", ">", ">="][self.picks.of(4)]), false)
                }
                5 => {
                    let ty = self.ty();
                    let (a, blank) = self.expr(ty, below);
                    if blank {
                        (format!("({a} is {}blank)", ["", "not "][self.picks.of(2)]), false)
                    } else {
                        ("yes".into(), false)
                    }
                }
                6 => {
                    let key = self.text(below);
                    let condition = self.condition(&key);
                    (format!("(exists afas.Profit_Article where {condition})"), false)
                }
                _ => {
                    let (a, _) = self.expr(Type::Text, below);
                    (format!("({a} in [\"ADV\", \"x\", \"UREN\"])"), false)
                }
            },
        }
    }
}

/// Tables and functions that all of them have.
const TABLES: &str = r#"
table pick first {
  word: text     | yes_or_no: bool => code: text
  "ADV", "UREN"  | yes             => "A"
  contains "adv" | *               => "B"
  matches /^J\d/ | no              => hold "a number"
  not "x"        | no              => word
  otherwise => "rest"
}

table band {
  number: int => word: text
  < 0         => skip "below"
  0..14       => "low"
  15..99      => "middle"
  otherwise => "high {number}"
}

define twice(word: text): text? = "{word}{word}" when word is not "x"
"#;
