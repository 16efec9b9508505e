//! The words of the language, as data: which statements there are, where they may stand and how they look.
//!
//! Takes words, gives rows of tables; messages and the cutting of a file into statements use the same ones.

/// The kinds of blocks in which lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Column 0.
    File,
    /// `read … {`
    Read,
    /// `table … {`
    Table,
    /// `each … {` and `after … {` of statements.
    Steps,
    /// `ensure … {`
    Ensure,
    /// A body of fields.
    Fields,
    /// `test … {`
    Test,
}

impl Place {
    /// The block in a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::File => "outside a block",
            Self::Read => "in a `read` block",
            Self::Table => "in a table",
            Self::Steps => "in a block of statements",
            Self::Ensure => "in an `ensure` block",
            Self::Fields => "among fields",
            Self::Test => "in a test",
        }
    }
}

/// A statement: its first word, where it stands, how it looks.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) word: &'static str,
    pub(super) places: &'static [Place],
    pub(super) shape: &'static str,
}

const fn row(word: &'static str, places: &'static [Place], shape: &'static str) -> Statement {
    Statement { word, places, shape }
}

const FILE: &[Place] = &[Place::File];
const GUARD: &[Place] = &[Place::File, Place::Steps, Place::Ensure, Place::Fields];
const WRITE: &[Place] = &[Place::File, Place::Steps, Place::Ensure];

/// All statements.
pub(super) const STATEMENTS: &[Statement] = &[
    row("flow", FILE, "flow name \"title\""),
    row("use", FILE, "use name, other from \"shared/file.flow\""),
    row("setting", FILE, "setting name : type = default"),
    row("read", FILE, "read name from system.entity {"),
    row("find", GUARD, "find name in system.entity where .field is value"),
    row("let", GUARD, "let name = value"),
    row("skip", GUARD, "skip when condition because \"reason\""),
    row("hold", GUARD, "hold when condition because \"reason\""),
    row("fail", GUARD, "fail when condition because \"reason\""),
    row("warn", GUARD, "warn when condition because \"reason\""),
    row("ensure", &[Place::File, Place::Steps, Place::Fields], "ensure name: type {"),
    row("create", WRITE, "create name in system.entity gives .Key {"),
    row("update", WRITE, "update system.entity when condition {"),
    row("after", FILE, "after name when condition {"),
    row("each", &[Place::File, Place::Steps], "each name in list when condition {"),
    row("fields", FILE, "fields name(parameter: type) for system.entity {"),
    row("define", FILE, "define name(parameter: type): type = value"),
    row("table", FILE, "table name {"),
    row("test", FILE, "test \"what it shows\" {"),
    row("where", &[Place::Read], "where .field is value"),
    row("since", &[Place::Read], "since change"),
    row("key", &[Place::Read], "key .field"),
    row("take", &[Place::Ensure], "take value"),
    row("include", &[Place::Ensure, Place::Fields], "include name(value)"),
    row("given", &[Place::Test], "given name from \"samples/file.json\""),
    row("expect", &[Place::Test], "expect create system.entity {"),
    row("otherwise", &[Place::Table], "otherwise => value"),
];

/// Words of other languages for a statement.
pub(super) const OTHER_WORDS: &[(&str, &str)] = &[
    ("var", "let"),
    ("const", "let"),
    ("set", "let"),
    ("val", "let"),
    ("import", "use"),
    ("include", "use"),
    ("def", "define"),
    ("function", "define"),
    ("func", "define"),
    ("fn", "define"),
    ("param", "setting"),
    ("config", "setting"),
    ("foreach", "each"),
    ("for", "each"),
    ("insert", "create"),
    ("make", "create"),
    ("write", "create"),
    ("lookup", "find"),
    ("search", "find"),
    ("assert", "expect"),
    ("should", "expect"),
    ("stop", "hold"),
    ("error", "fail"),
    ("else", "otherwise"),
    ("default", "otherwise"),
];

/// With these words a line goes on with the one above it.
pub(super) const JOINERS: &[&str] =
    &["and", "or", "else", "when", "because", "gives", "where", "by", "for", "from", "is", "in", "not"];

/// After these words something follows.
pub(super) const OPERATORS: &[&str] = &["and", "or", "not", "is", "in", "when", "else"];

/// After these symbols something follows.
pub(super) const OPEN_ENDS: &[&str] = &[
    ",", "=", "=>", "??", "+", "-", "*", "/", "(", "[", "<", ">", "<=", ">=", "==", "!=", "&&", "||", "->", "|", "<>",
];

/// Words that are written in lower case wherever they stand.
pub(super) const LOWER: &[&str] = &[
    "and",
    "or",
    "not",
    "is",
    "in",
    "when",
    "else",
    "each",
    "for",
    "from",
    "gives",
    "because",
    "where",
    "exists",
    "yes",
    "no",
    "blank",
    "clear",
    "skip",
    "hold",
    "fail",
    "warn",
    "until",
    "by",
    "first",
    "all",
    "overlap",
    "otherwise",
];

/// The row of a statement.
pub(super) fn statement(word: &str) -> Option<&'static Statement> {
    STATEMENTS.iter().find(|row| row.word == word)
}

/// Does a statement in column 0 begin with this word?
pub(super) fn is_statement(word: &str) -> bool {
    statement(word).is_some_and(|row| row.places.contains(&Place::File))
}

/// The statement of this place that a word seems to mean.
pub(super) fn nearest(word: &str, here: Place) -> Option<&'static str> {
    let known = || STATEMENTS.iter().filter(|row| row.places.contains(&here));
    let lower = word.to_lowercase();
    let other = OTHER_WORDS.iter().find(|(theirs, _)| *theirs == lower).map(|(_, ours)| *ours);
    other.filter(|ours| known().any(|row| row.word == *ours)).or_else(|| {
        let far = |row: &Statement| strsim::damerau_levenshtein(row.word, &lower);
        known()
            .map(|row| (far(row), row.word))
            .filter(|(far, _)| *far <= 2.min(word.len() / 2))
            .min()
            .map(|(_, word)| word)
    })
}
