//! The written values, flattened to `path → value`, and the list of problems found on the way.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use crate::error::{Origin, Problem};
use crate::sections::rules;
use crate::value::{Lit, Range, Setting};

/// Names in the environment start with this.
pub(crate) const ENV_PREFIX: &str = "COVEY__";

/// A list of tables, each of which is named by one of its keys.
struct List {
    path: &'static str,
    key: &'static str,
    /// The tables in a sentence.
    what: &'static str,
    /// What to do about a table without a name.
    hint: &'static str,
    name: fn(&Lit) -> Result<String, String>,
}

const LISTS: [List; 2] = [
    List {
        path: "node",
        key: "id",
        what: "nodes",
        hint: "give each a number ≥ 1",
        name: node_id,
    },
    List {
        path: rules::PATH,
        key: "name",
        what: "rules",
        hint: "give each one of its own",
        name: rules::rule_name,
    },
];

fn node_id(lit: &Lit) -> Result<String, String> {
    match u64::from_lit(lit) {
        Ok(id @ 1..=65_535) => Ok(id.to_string()),
        _ => Err(format!("{lit} is not a node id: 1 to 65535")),
    }
}

struct Written {
    lit: Lit,
    origin: Origin,
}

/// Values not yet taken by a section, and what was wrong so far.
#[derive(Default)]
pub(crate) struct Input {
    values: BTreeMap<String, Written>,
    /// Where each value was written, also after it was taken: for checks across keys.
    origins: BTreeMap<String, Origin>,
    /// Path of its list and name of each table, in file order.
    listed: Vec<(&'static str, String)>,
    problems: Vec<Problem>,
}

impl Input {
    /// Reads the file's text, then the environment over it. `known` holds every valid path.
    pub(crate) fn read(text: &str, env: impl Iterator<Item = (String, String)>, known: &Known) -> Self {
        let mut input = Self::default();
        let (root, errors) = DeTable::parse_recoverable(text);
        let lines = Lines(text);
        for error in errors {
            let origin = error.span().map_or(Origin::File, |span| lines.origin(span.start));
            input.problem(origin, "", format!("not valid TOML: {}", error.message()));
        }
        input.table("", root.get_ref(), &lines, known);
        for (name, value) in env.filter(|(name, _)| name.starts_with(ENV_PREFIX)) {
            let path = name[ENV_PREFIX.len()..]
                .split("__")
                .collect::<Vec<_>>()
                .join(".")
                .to_lowercase();
            input.insert(path, Lit::Bare(value), Origin::Env(name));
        }
        input
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>, lines: &Lines<'_>, known: &Known) {
        for (key, value) in table {
            let path = if prefix.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{prefix}.{}", key.get_ref())
            };
            let origin = lines.origin(key.span().start);
            let list = LISTS.iter().find(|list| list.path == path);
            match value.get_ref() {
                DeValue::Array(items) if let Some(list) = list => {
                    self.list(list, items.iter().map(|i| (i.get_ref(), i.span().start)), lines)
                }
                DeValue::Table(inner) if known.is_section(&path) => self.table(&path, inner, lines, known),
                DeValue::Table(_) | DeValue::Array(_) if !known.is_key(&path) => {
                    let hint = known.nearest_section(&path);
                    self.problem(
                        origin,
                        &path,
                        format!("there is no such section; the nearest is {hint}"),
                    );
                }
                other => self.insert(path, lit(other), origin),
            }
        }
    }

    /// `[[node]]` tables become `node.<id>.<key>`, so that the environment can name one by its id; other lists likewise.
    fn list<'a, 'i: 'a>(
        &mut self,
        list: &List,
        items: impl Iterator<Item = (&'a DeValue<'i>, usize)>,
        lines: &Lines<'_>,
    ) {
        let List { path, key, what, .. } = *list;
        let name_path = format!("{path}.{key}");
        for (item, at) in items {
            let origin = lines.origin(at);
            let DeValue::Table(table) = item else {
                self.problem(origin, path, format!("is not a table; write [[{path}]]"));
                continue;
            };
            let named = table.get(key);
            let Some((lit, origin)) = named.map(|name| (lit(name.get_ref()), lines.origin(name.span().start))) else {
                self.problem(origin, &name_path, format!("a [[{path}]] without {key}; {}", list.hint));
                continue;
            };
            let name = match (list.name)(&lit) {
                Ok(name) => name,
                Err(why) => {
                    self.problem(origin, &name_path, why);
                    continue;
                }
            };
            if self.names(path).contains(&name) {
                self.problem(origin, &name_path, format!("two {what} have the {key} {name}"));
                continue;
            }
            for (inner, value) in table.iter().filter(|(inner, _)| inner.get_ref() != key) {
                let path = format!("{path}.{name}.{}", inner.get_ref());
                self.insert(path, self::lit(value.get_ref()), lines.origin(inner.span().start));
            }
            self.listed.push((path, name));
        }
    }

    fn insert(&mut self, path: String, lit: Lit, origin: Origin) {
        self.origins.insert(path.clone(), origin.clone());
        self.values.insert(path, Written { lit, origin });
    }

    /// Lays what operators have set over it.
    pub(crate) fn overlay(&mut self, values: &BTreeMap<String, String>, known: &Known) {
        let rules = format!("{}.", rules::PATH);
        for (key, value) in values {
            let origin = Origin::Setting(key.clone());
            match key.strip_prefix(&rules) {
                Some(rule) if !rule.contains('.') => self.set_rule(rule, value, origin),
                None if (known.is_key(key) && !known.hot.contains(key)) || key.starts_with("node.") => {
                    let message = "is read when a process starts: write it into cluster.toml; keys that can be set are marked hot there";
                    self.problem(origin, "", message.to_owned());
                }
                _ => self.insert(key.clone(), Lit::Bare(value.clone()), origin),
            }
        }
    }

    /// A rule as a whole: a table in one line, or `off`. One of this name that is there already gives it its place.
    fn set_rule(&mut self, name: &str, value: &str, origin: Origin) {
        if let Err(why) = rules::rule_name(&Lit::Text(name.to_owned())) {
            return self.problem(origin, "", why);
        }
        let text = format!("rule = {value}");
        let table = match &DeTable::parse(&text) {
            _ if value == "off" => None,
            Ok(root) if let Some(DeValue::Table(table)) = root.get_ref().get("rule").map(|rule| rule.get_ref()) => {
                Some(
                    table
                        .iter()
                        .map(|(key, value)| (key.get_ref().to_string(), lit(value.get_ref())))
                        .collect(),
                )
            }
            _ => {
                let message =
                    "is not a rule in one line, such as { kind = \"cap\", per = \"topic\", most = 2 }, and not off";
                return self.problem(origin, "", message.to_owned());
            }
        };
        let path = format!("{}.{name}.", rules::PATH);
        self.forget(&path);
        self.origins.retain(|known, _| !known.starts_with(&path));
        let rule = (rules::PATH, name.to_owned());
        match table {
            None => self.listed.retain(|listed| *listed != rule),
            Some(_) if !self.listed.contains(&rule) => self.listed.push(rule),
            Some(_) => {}
        }
        for (key, lit) in table.unwrap_or_else(Vec::new) {
            self.insert(format!("{path}{key}"), lit, origin.clone());
        }
    }

    /// Takes the value of a key; the default if it was not written or is wrong.
    pub(crate) fn take<T: Setting>(&mut self, path: &str, default: &Lit, range: &Range) -> T {
        self.take_opt(path, range)
            .unwrap_or_else(|| T::from_lit(default).expect("the test of the declared defaults passes"))
    }

    /// Takes the value of a key without a default.
    pub(crate) fn take_opt<T: Setting>(&mut self, path: &str, range: &Range) -> Option<T> {
        let Written { lit, origin } = self.values.remove(path)?;
        let read = T::from_lit(&lit).and_then(|value| range.check(&lit, &value).map(|()| value));
        read.map_err(|why| self.problem(origin, path, why)).ok()
    }

    /// Whether the file or the environment gave the key, even wrongly.
    pub(crate) fn was_written(&self, path: &str) -> bool {
        self.origins.contains_key(path)
    }

    /// Names of the tables of a list, in file order.
    pub(crate) fn names(&self, list: &str) -> Vec<String> {
        let of_list = self.listed.iter().filter(|(path, _)| *path == list);
        of_list.map(|(_, name)| name.clone()).collect()
    }

    /// Ids of the nodes in file order.
    pub(crate) fn node_ids(&self) -> Vec<u64> {
        self.names("node").iter().filter_map(|id| id.parse().ok()).collect()
    }

    /// Forgets the values below a path: something else about them was reported.
    pub(crate) fn forget(&mut self, prefix: &str) {
        self.values.retain(|path, _| !path.starts_with(prefix));
    }

    /// Notes a problem at a known place.
    pub(crate) fn problem(&mut self, origin: Origin, path: &str, message: String) {
        self.problems.push(Problem {
            origin,
            path: path.to_owned(),
            message,
        });
    }

    /// Notes a problem of a key, wherever that was written.
    pub(crate) fn problem_of(&mut self, path: &str, message: String) {
        let origin = self.origins.get(path).cloned().unwrap_or(Origin::File);
        self.problem(origin, path, message);
    }

    /// Every problem, in file order. What no section took is unknown.
    pub(crate) fn finish(mut self, known: &Known) -> Vec<Problem> {
        for (path, written) in std::mem::take(&mut self.values) {
            let nearest = known.nearest_key(&path);
            let hint = match &written.origin {
                Origin::Env(_) => env_name(&nearest),
                _ => nearest,
            };
            self.problem(
                written.origin,
                &path,
                format!("there is no such key; the nearest is {hint}"),
            );
        }
        self.problems.sort();
        self.problems
    }
}

/// `raft.tick` → `COVEY__RAFT__TICK`.
pub(crate) fn env_name(path: &str) -> String {
    format!("{ENV_PREFIX}{}", path.to_uppercase().replace('.', "__"))
}

fn lit(value: &DeValue<'_>) -> Lit {
    match value {
        DeValue::String(text) => Lit::Text(text.to_string()),
        DeValue::Integer(n) => {
            i64::from_str_radix(n.as_str(), n.radix()).map_or(Lit::Other("number that does not fit 64 bits"), Lit::Int)
        }
        DeValue::Float(x) => x
            .as_str()
            .parse()
            .map_or(Lit::Other("number that cannot be read"), Lit::Float),
        DeValue::Boolean(b) => Lit::Bool(*b),
        DeValue::Datetime(_) => Lit::Other("date"),
        DeValue::Array(_) => Lit::Other("list"),
        DeValue::Table(_) => Lit::Other("table"),
    }
}

struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.0.as_bytes().iter().take(offset);
        Origin::Line(1 + before.filter(|byte| **byte == b'\n').count())
    }
}

/// Every valid path.
pub(crate) struct Known {
    /// Paths of the sections.
    pub(crate) sections: Vec<String>,
    /// Paths of the keys; those of nodes as `node.<id>.listen`.
    pub(crate) keys: Vec<String>,
    /// Those that can be set while the cluster runs; rules are not among them, and can be.
    pub(crate) hot: BTreeSet<String>,
}

impl Known {
    fn is_section(&self, path: &str) -> bool {
        self.sections.iter().any(|section| section == path)
    }

    fn is_key(&self, path: &str) -> bool {
        self.keys.iter().any(|key| key == path)
    }

    fn nearest_section(&self, path: &str) -> String {
        format!("[{}]", nearest(path, self.sections.iter()))
    }

    fn nearest_key(&self, path: &str) -> String {
        nearest(path, self.keys.iter())
    }
}

/// The candidate most like the text. A key written in the wrong section is recognised by its last part.
fn nearest<'a>(path: &str, candidates: impl Iterator<Item = &'a String>) -> String {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |candidate: &str| {
        strsim::jaro_winkler(path, candidate) + strsim::normalized_damerau_levenshtein(&last(path), &last(candidate))
    };
    let best = candidates.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.cloned().unwrap_or_default()
}

#[cfg(test)]
#[path = "input_test.rs"]
mod tests;
