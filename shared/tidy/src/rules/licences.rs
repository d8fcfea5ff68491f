//! Licences of everything that is compiled in, against the list in deny.toml.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::workspace::{Finding, finding};

/// Reads `cargo metadata`'s packages and names those whose licence deny.toml does not allow.
pub fn licences(metadata: &Json, deny: &str) -> Vec<Finding> {
    let deny: Table = deny.parse().unwrap_or_default();
    let allowed = deny
        .get("licenses")
        .and_then(|l| l.get("allow"))
        .and_then(Value::as_array);
    let allowed: BTreeSet<&str> = allowed.into_iter().flatten().filter_map(Value::as_str).collect();
    let mut out = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let field = |name: &str| package[name].as_str().unwrap_or_default();
        if !is_allowed(field("license"), &allowed) {
            let message = format!(
                "{} {} has the licence {:?}; allow it there or do without",
                field("name"),
                field("version"),
                field("license")
            );
            out.push(finding("deny.toml", 1, message));
        }
    }
    out
}

/// An SPDX expression: `OR` (older crates write `/`) binds less than `AND`; `X WITH Y` is a name of its own.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        allowed,
    };
    !tokens.is_empty() && parser.any() && parser.at == tokens.len()
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
    allowed: &'a BTreeSet<&'a str>,
}

impl Parser<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let found = self.tokens.get(self.at) == Some(&token);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> bool {
        let mut ok = self.all();
        while self.eat("OR") {
            ok |= self.all();
        }
        ok
    }

    fn all(&mut self) -> bool {
        let mut ok = self.one();
        while self.eat("AND") {
            ok &= self.one();
        }
        ok
    }

    fn one(&mut self) -> bool {
        if self.eat("(") {
            let ok = self.any();
            return self.eat(")") && ok;
        }
        let Some(name) = self.tokens.get(self.at) else {
            return false;
        };
        self.at += 1;
        if self.eat("WITH") {
            let full = format!("{name} WITH {}", self.tokens.get(self.at).unwrap_or(&""));
            self.at += 1;
            return self.allowed.contains(full.as_str());
        }
        self.allowed.contains(name)
    }
}

#[cfg(test)]
#[path = "licences_test.rs"]
mod tests;
