//! Functions and `use` paths of a scanned source.

use crate::scan::{Source, find_word, line_of};

/// One `fn` with its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Line of its `fn`, from 1.
    pub line: usize,
    /// Lines with code from `fn` to the closing brace; 0 without a body.
    pub lines: usize,
    /// Parameters, `self` included.
    pub parameters: usize,
}

/// Every function of a file, nested ones too.
pub fn functions(source: &Source) -> Vec<Function> {
    let starts: Vec<_> = find_word(&source.code, "fn").collect();
    starts
        .into_iter()
        .filter_map(|at| function_at(&source.code, at))
        .collect()
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let rest = &code[at + 2..];
    let head = rest.trim_start();
    let name: String = head.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    // `fn(u32) -> u32` is a type, `fn $name` part of a macro.
    if name.is_empty() || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let after_name = at + 2 + (rest.len() - head.len()) + name.len();
    let open = after_name + parameters_open(&code[after_name..])?;
    let close = open + matching(&code[open..])?;
    let parameters = count_parameters(&code[open + 1..close]);
    let lines = body_end(code, close).map_or(0, |end| {
        code[at..=end].lines().filter(|line| !line.trim().is_empty()).count()
    });
    Some(Function {
        name,
        line: line_of(code, at),
        lines,
        parameters,
    })
}

/// Skips `<T: Fn(u32)>` to the parenthesis of the parameters.
fn parameters_open(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let mut previous = ' ';
    for (i, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' => depth -= 1,
            '(' if depth == 0 => return Some(i),
            '{' | ';' => return None,
            _ => {}
        }
        previous = c;
    }
    None
}

/// Offset of the bracket that closes the one at the start.
fn matching(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (i, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(i);
        }
    }
    None
}

/// Top-level commas separate parameters; one after the last is allowed.
fn count_parameters(list: &str) -> usize {
    let (mut depth, mut previous, mut count, mut pending) = (0_i32, ' ', 0, false);
    for c in list.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if previous != '-' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            count += usize::from(pending);
            pending = false;
        } else if !c.is_whitespace() {
            pending = true;
        }
        previous = c;
    }
    count + usize::from(pending)
}

/// Offset of the brace that ends the body; `None` for a declaration.
fn body_end(code: &str, from: usize) -> Option<usize> {
    let rest = &code[from..];
    // A return type may hold `[u8; 4]`: its semicolon ends nothing.
    let mut depth = 0_i32;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            ';' if depth == 0 => return None,
            '{' => return matching(&rest[i..]).map(|end| from + i + end),
            _ => {}
        }
    }
    None
}

/// Every path of every `use`, with its line: `use std::{fs, io::Read};` gives `std::fs` and `std::io::Read`.
pub fn used_paths(source: &Source) -> Vec<(String, usize)> {
    let code = &source.code;
    let mut out = Vec::new();
    for at in find_word(code, "use") {
        let Some(end) = code[at..].find(';') else { continue };
        let tree = code[at + 3..at + end].split_whitespace().collect::<Vec<_>>().join(" ");
        let mut paths = Vec::new();
        expand("", &tree, &mut paths);
        out.extend(paths.into_iter().map(|path| (path, line_of(code, at))));
    }
    out
}

fn expand(prefix: &str, tree: &str, out: &mut Vec<String>) {
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        out.push(format!("{prefix}{}", path.trim()));
        return;
    };
    let inner = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let prefix = format!("{prefix}{}", tree[..open].trim());
    let (mut depth, mut start) = (0_i32, 0);
    for (i, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if i > start {
                    expand(&prefix, &inner[start..i], out);
                }
                start = i + 1;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "shape_test.rs"]
mod tests;
