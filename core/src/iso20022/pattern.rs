//! The regular expressions of the ISO 20022 schemas.
//!
//! The catalogue uses a small family: character classes, literals, `.`, the quantifiers `?`, `*`,
//! `+`, `{n}` and `{n,m}`, and groups that occur a fixed number of times or may be absent. Such an
//! expression unfolds into at most 127 positions, so a set of positions is one integer and matching is
//! one pass over the text, whatever the text: there is no backtracking to exhaust.

/// The most positions of an expression; one more bit stands for its end.
const POSITIONS_MAX: usize = 127;

/// A compiled expression. It matches whole texts, as XML Schema says (part 2, appendix F).
#[derive(Debug)]
pub(super) struct Pattern {
    positions: Vec<Position>,
}

#[derive(Debug, Clone)]
struct Position {
    class: Class,
    /// The position may be passed any number of times.
    repeats: bool,
    /// All positions that stand open once this one is reached, itself included.
    open: u128,
}

/// A set of ASCII characters, and whether all others belong to it.
#[derive(Debug, Clone, Copy, Default)]
struct Class {
    ascii: u128,
    others: bool,
}

impl Class {
    fn insert(&mut self, from: u8, to: u8) {
        for byte in from..=to {
            self.ascii |= 1 << byte;
        }
    }

    fn contains(self, ch: char) -> bool {
        if ch.is_ascii() {
            self.ascii >> (ch as u32) & 1 == 1
        } else {
            self.others
        }
    }
}

/// Skips that are possible: from a position to a later one.
type Skips = Vec<(usize, usize)>;

impl Pattern {
    /// Compiles an expression of the family; `None` if it is outside it.
    pub(super) fn compile(text: &str) -> Option<Self> {
        let mut compiler = Compiler {
            rest: text,
            positions: Vec::new(),
            skips: Vec::new(),
        };
        compiler.sequence(0)?;
        let Compiler {
            rest,
            mut positions,
            skips,
        } = compiler;
        if !rest.is_empty() || positions.len() > POSITIONS_MAX {
            return None;
        }
        // From the end backwards, so that what a skip leads to is already known. The bit after the
        // last position stands for the end.
        let mut open = vec![0u128; positions.len() + 1];
        open[positions.len()] = 1 << positions.len();
        for at in (0..positions.len()).rev() {
            open[at] = 1 << at;
            for (_, to) in skips.iter().filter(|(from, _)| *from == at) {
                open[at] |= open[*to];
            }
            positions[at].open = open[at];
        }
        Some(Self { positions })
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let end = 1u128 << self.positions.len();
        let open = |at: usize| self.positions.get(at).map_or(end, |position| position.open);
        let mut standing = open(0);
        for ch in text.chars() {
            let mut next = 0;
            let mut left = standing & !end;
            while left != 0 {
                let at = left.trailing_zeros() as usize;
                left &= left - 1;
                let position = &self.positions[at];
                if position.class.contains(ch) {
                    next |= open(at + 1) | if position.repeats { position.open } else { 0 };
                }
            }
            if next == 0 {
                return false;
            }
            standing = next;
        }
        standing & end != 0
    }
}

struct Compiler<'a> {
    rest: &'a str,
    positions: Vec<Position>,
    skips: Skips,
}

impl Compiler<'_> {
    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let ch = chars.next()?;
        self.rest = chars.as_str();
        Some(ch)
    }

    fn eat(&mut self, ch: char) -> bool {
        let rest = self.rest.strip_prefix(ch);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Items up to the end of the group or of the expression.
    fn sequence(&mut self, depth: usize) -> Option<()> {
        while !self.rest.is_empty() && !self.rest.starts_with(')') {
            let start = self.positions.len();
            if self.eat('(') {
                if depth == 1 {
                    return None;
                }
                let inside = self.rest;
                self.sequence(depth + 1)?;
                let closed = self.eat(')');
                match self.quantifier().filter(|_| closed)? {
                    (0, Some(1)) => self.skips.push((start, self.positions.len())),
                    (count, Some(max)) if (1..=POSITIONS_MAX).contains(&count) && count == max => {
                        let after = self.rest;
                        for _ in 1..count {
                            self.rest = inside;
                            self.sequence(depth + 1)?;
                        }
                        self.rest = after;
                    }
                    _ => return None,
                }
            } else {
                let class = self.class()?;
                let (min, max) = self.quantifier()?;
                self.repeat(class, min, max)?;
            }
        }
        Some(())
    }

    fn repeat(&mut self, class: Class, min: usize, max: Option<usize>) -> Option<()> {
        let count = max.unwrap_or(min.max(1));
        if count < min || self.positions.len() + count > POSITIONS_MAX {
            return None;
        }
        for nth in 0..count {
            if nth >= min {
                self.skips
                    .push((self.positions.len(), self.positions.len() + 1));
            }
            let repeats = max.is_none() && nth + 1 == count;
            self.positions.push(Position {
                class,
                repeats,
                open: 0,
            });
        }
        Some(())
    }

    fn class(&mut self) -> Option<Class> {
        let mut class = Class::default();
        match self.take()? {
            '.' => {
                class = Class {
                    ascii: !(1 << b'\n' | 1 << b'\r'),
                    others: true,
                }
            }
            '[' => {
                while !self.eat(']') {
                    let from = self.literal()?;
                    let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
                    let to = if is_range && self.eat('-') {
                        self.literal()?
                    } else {
                        from
                    };
                    class.insert(from, to);
                }
            }
            '\\' => {
                let escaped = u8::try_from(self.take()?).ok()?;
                let _: () = (!escaped.is_ascii_alphanumeric()).then_some(())?;
                class.insert(escaped, escaped);
            }
            '*' | '+' | '?' | '{' | '}' | '|' | ')' | ']' => return None,
            literal => {
                let byte = u8::try_from(literal).ok().filter(u8::is_ascii)?;
                class.insert(byte, byte);
            }
        }
        Some(class)
    }

    /// One character in a class.
    fn literal(&mut self) -> Option<u8> {
        let ch = match self.take()? {
            '\\' => self.take().filter(|ch| !ch.is_ascii_alphanumeric())?,
            '[' | '^' => return None,
            ch => ch,
        };
        u8::try_from(ch).ok().filter(u8::is_ascii)
    }

    fn quantifier(&mut self) -> Option<(usize, Option<usize>)> {
        if self.eat('?') {
            return Some((0, Some(1)));
        } else if self.eat('*') {
            return Some((0, None));
        } else if self.eat('+') {
            return Some((1, None));
        } else if !self.eat('{') {
            return Some((1, Some(1)));
        }
        let (inside, rest) = self.rest.split_once('}')?;
        self.rest = rest;
        let (min, max) = inside.split_once(',').unwrap_or((inside, inside));
        Some((min.parse().ok()?, Some(max.parse().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let compiled = Pattern::compile(pattern).expect("of the family");
        for text in yes {
            assert!(compiled.matches(text), "{pattern} should match {text:?}");
        }
        for text in no {
            assert!(
                !compiled.matches(text),
                "{pattern} should not match {text:?}"
            );
        }
    }

    #[test]
    fn the_patterns_of_the_catalogue() {
        check("[A-Z]{3,3}", &["GBP"], &["GB", "GBPX", "gbp", "", "ÄÖÜ"]);
        let bic = "[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}";
        check(
            bic,
            &["MYMBGB2L", "MYMBGB2LXXX"],
            &["", "MYMBGB2", "MYMBGB2LX", "MYMBGB2LXXXX"],
        );
        let phone = r"\+[0-9]{1,3}-[0-9()+\-]{1,30}";
        check(
            phone,
            &["+44-20", "+1-(20)+-9"],
            &["44-20", "+4444-1", "+44-", "+44-a"],
        );
        let uetr = "[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}";
        let yes = "174c245f-2682-4291-ad67-2a41e530cd27";
        check(
            uetr,
            &[yes],
            &[&yes.to_uppercase(), &yes.replace("-4", "-1"), &yes[1..]],
        );
        check(
            "[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}",
            &["GB00a"],
            &["GB00", "GB00-"],
        );
        check(
            ".*Z",
            &["Z", "10:00Z", "ZZ", "éZ"],
            &["", "10:00", "Za", "\nZ"],
        );
        check(r"[\+]{0,1}[0-9]{1,15}", &["+1", "1"], &["+", "++1"]);
        check("CH[0-9]{6,6}", &["CH123456"], &["ch123456", "CH12345"]);
        check("[0-9]", &["7"], &["", "77"]);
        let hash = "([0-9A-F][0-9A-F]){3}";
        check(hash, &["00FFA9"], &["00FFA", "00FFA90", "00FF", "00FFAG"]);
        check("a+b?", &["a", "aaab"], &["b", "", "abb"]);
    }

    #[test]
    fn what_is_outside_the_family_does_not_compile() {
        let outside = [
            "a|b", "(a", "a)", "[^a]", "(a){2,3}", r"\d", "[a", "a{2", "((a))", "a{128}",
        ];
        for pattern in outside {
            assert!(Pattern::compile(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn a_hostile_text_costs_one_pass() {
        let pattern = Pattern::compile(".*Z").expect("of the family");
        assert!(!pattern.matches(&("Z".repeat(1_000_000) + "Y")));
    }
}
