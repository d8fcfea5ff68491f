//! Takes Rust source apart into code and comments, so that a word in a string is not taken for a call.

/// A source file in three layers of the same length; what is not of a layer is blank there.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file as it is.
    pub text: String,
    /// Without comments and without the inside of strings.
    pub code: String,
    /// The comments alone, doc comments too.
    pub comments: String,
}

/// Where the scanner is.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    Line,
    Block(usize),
    Text,
    Raw(usize),
}

impl Source {
    /// Scans a file.
    pub fn new(text: &str) -> Self {
        let mut scanner = Scanner {
            chars: text.chars().collect(),
            at: 0,
            code: String::new(),
            comments: String::new(),
        };
        let mut state = State::Code;
        while scanner.at < scanner.chars.len() {
            state = scanner.step(state);
        }
        Self {
            text: text.to_owned(),
            code: scanner.code,
            comments: scanner.comments,
        }
    }
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    code: String,
    comments: String,
}

impl Scanner {
    fn starts(&self, prefix: &str) -> bool {
        prefix
            .chars()
            .enumerate()
            .all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }

    /// Moves on by `n`, writing to code or to comments; the other layer stays blank.
    fn eat(&mut self, n: usize, code: bool, comment: bool) {
        for _ in 0..n {
            let Some(&c) = self.chars.get(self.at) else { return };
            let shown = |visible: bool| if visible || c == '\n' { c } else { ' ' };
            self.code.push(shown(code));
            self.comments.push(shown(comment));
            self.at += 1;
        }
    }

    fn step(&mut self, state: State) -> State {
        match state {
            State::Code => self.step_code(),
            State::Line => {
                let end = self.starts("\n");
                self.eat(1, false, true);
                if end { State::Code } else { State::Line }
            }
            State::Block(depth) => self.step_block(depth),
            State::Text => {
                let n = if self.starts("\\") { 2 } else { 1 };
                let end = self.starts("\"");
                self.eat(n, end, false);
                if end { State::Code } else { State::Text }
            }
            State::Raw(hashes) => {
                let end = self.starts(&format!("\"{}", "#".repeat(hashes)));
                self.eat(if end { 1 + hashes } else { 1 }, end, false);
                if end { State::Code } else { State::Raw(hashes) }
            }
        }
    }

    fn step_block(&mut self, depth: usize) -> State {
        let (n, depth) = match (self.starts("/*"), self.starts("*/")) {
            (true, _) => (2, depth + 1),
            (_, true) => (2, depth - 1),
            _ => (1, depth),
        };
        self.eat(n, false, true);
        if depth == 0 { State::Code } else { State::Block(depth) }
    }

    fn step_code(&mut self) -> State {
        if self.starts("//") {
            return State::Line;
        }
        if self.starts("/*") {
            self.eat(2, false, true);
            return State::Block(1);
        }
        if let Some(hashes) = self.raw_string() {
            return State::Raw(hashes);
        }
        if self.starts("\"") {
            self.eat(1, true, false);
            return State::Text;
        }
        if self.starts("'") {
            self.quote();
            return State::Code;
        }
        self.eat(1, true, false);
        State::Code
    }

    /// At `r"` or `r#"` that does not continue a name: goes past the opening quote.
    fn raw_string(&mut self) -> Option<usize> {
        let before = self.at.checked_sub(1).map(|i| self.chars[i]);
        // br and cr begin raw strings as well.
        let in_name = before.is_some_and(|c| (c.is_alphanumeric() || c == '_') && c != 'b' && c != 'c');
        if in_name || !self.starts("r") {
            return None;
        }
        let hashes = self.chars[self.at + 1..].iter().take_while(|c| **c == '#').count();
        if self.chars.get(self.at + 1 + hashes) != Some(&'"') {
            return None;
        }
        self.eat(hashes + 2, true, false);
        Some(hashes)
    }

    /// At `'`: a character is blanked, a lifetime is code.
    fn quote(&mut self) {
        let next = self.chars.get(self.at + 1);
        if next == Some(&'\\') {
            let close = self.chars[self.at + 3..]
                .iter()
                .position(|c| *c == '\'')
                .map_or(1, |i| i + 4);
            self.eat(close, false, false);
        } else if self.chars.get(self.at + 2) == Some(&'\'') {
            self.eat(3, false, false);
        } else {
            self.eat(1, true, false);
        }
    }
}

/// The line of a byte offset, counted from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
}

/// Offsets at which `needle` stands as a whole path: not inside a longer name.
pub fn find_word<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (first, last) = (needle.chars().next(), needle.chars().last());
    code.match_indices(needle).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + needle.len()..].chars().next();
        !(is_name(first) && is_name(before) || is_name(last) && is_name(after))
    })
}

#[cfg(test)]
#[path = "scan_test.rs"]
mod tests;
