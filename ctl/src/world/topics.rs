//! Topics and phrases: the word lists of the world, read from two text files beside this one.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Number of latent topics.
pub const TOPICS: usize = 48;

/// Users are dealt to topics in rounds of this many, in which large topics come up more often than small ones.
pub(crate) const ROUND: usize = 256;

/// One topic's words.
#[derive(Debug)]
pub(crate) struct Topic {
    /// Name and hashtag.
    pub(crate) tag: &'static str,
    /// Noun phrases.
    pub(crate) things: Vec<&'static str>,
    /// What one did today.
    pub(crate) acts: Vec<&'static str>,
    /// Whole sentences.
    pub(crate) remarks: Vec<&'static str>,
}

pub(crate) static ALL: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let topics: Vec<Topic> = lines(include_str!("topics.txt")).map(parse_topic).collect();
    assert_eq!(topics.len(), TOPICS, "topics.txt has as many lines as there are topics");
    topics
});

/// Sentences by section name.
pub(crate) static PHRASES: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut section = "";
    for line in lines(include_str!("phrases.txt")) {
        match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => section = name,
            None => sections.entry(section).or_default().push(line),
        }
    }
    sections
});

/// Topic of each place in a round: topic t gets a share that falls like 1 / (t + 8), at least one place.
pub(crate) static ROUND_TOPICS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let total: f64 = (0..TOPICS).map(|t| 1.0 / (t as f64 + 8.0)).sum();
    let mut places: Vec<u8> = (0..TOPICS as u8).collect();
    let mut filled = [1u32; TOPICS];
    while places.len() < ROUND {
        // Whoever is furthest behind its share is next.
        let behind = |t: usize| ROUND as f64 / (t as f64 + 8.0) / total - f64::from(filled[t]);
        let next = (0..TOPICS)
            .max_by(|a, b| behind(*a).total_cmp(&behind(*b)))
            .expect("there are topics");
        filled[next] += 1;
        places.push(next as u8);
    }
    // Deal them out evenly: 99 has no factor in common with 256.
    (0..ROUND).map(|place| places[place * 99 % ROUND]).collect()
});

/// Places of a round by topic: the inverse of [`ROUND_TOPICS`].
pub(crate) static TOPIC_PLACES: LazyLock<Vec<Vec<u64>>> = LazyLock::new(|| {
    let mut places = vec![Vec::new(); TOPICS];
    for (place, topic) in ROUND_TOPICS.iter().enumerate() {
        places[usize::from(*topic)].push(place as u64);
    }
    places
});

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn parse_topic(line: &'static str) -> Topic {
    let fields: Vec<&str> = line.split(" | ").collect();
    let [tag, things, acts, remarks] = fields[..] else {
        panic!("topics.txt: four fields expected in {line:?}");
    };
    let list = |field: &'static str| field.split("; ").collect();
    Topic {
        tag,
        things: list(things),
        acts: list(acts),
        remarks: list(remarks),
    }
}
