//! Texts: short posts put together from the word lists. A fifth are small talk and say nothing about their topic.

use super::dice::{Dice, Stream, mix};
use super::posts::{PostFacts, Shape};
use super::topics::{ALL, PHRASES, TOPICS, Topic};

/// The text of a post that is no repost.
pub(crate) fn text(seed: u64, facts: &PostFacts) -> String {
    let mut dice = Dice::new(mix(seed), Stream::Words, facts.index);
    let writer = Writer {
        main: &ALL[usize::from(facts.topic)],
        // Now and then a phrase of another topic slips in.
        side: match dice.below(8) {
            0 => &ALL[dice.below(TOPICS as u64) as usize],
            _ => &ALL[usize::from(facts.side_topic)],
        },
    };
    let english = facts.language == "en";
    let mut text = match facts.shape {
        Shape::Reply => writer.sentence("reply", &mut dice),
        Shape::Quote => writer.sentence("quote", &mut dice),
        _ if facts.small_talk && english => writer.sentence("chat", &mut dice),
        _ => writer.sentence(section(facts.language), &mut dice),
    };
    match facts.shape {
        Shape::Original if !english => append(&mut text, &writer.sentence(section(facts.language), &mut dice)),
        Shape::Original if facts.small_talk => append(&mut text, &writer.sentence("chat", &mut dice)),
        Shape::Original if dice.chance(0.4) => append(&mut text, dice.pick(&writer.main.remarks)),
        _ => {}
    }
    if english && dice.chance(0.35) {
        append(&mut text, dice.pick(&PHRASES["tail"]));
    }
    if !facts.small_talk && dice.chance(0.15) {
        append(&mut text, &format!("#{}", writer.main.tag));
    }
    text
}

/// The section of phrases for a language.
fn section(language: &str) -> &str {
    if PHRASES.contains_key(language) {
        language
    } else {
        "lead"
    }
}

/// Adds a sentence unless the text has it already.
fn append(text: &mut String, sentence: &str) {
    if !text.contains(sentence) {
        text.push(' ');
        text.push_str(sentence);
    }
}

struct Writer {
    main: &'static Topic,
    side: &'static Topic,
}

impl Writer {
    /// A sentence of a section with its places filled in and a capital at its start.
    fn sentence(&self, section: &str, dice: &mut Dice) -> String {
        let template = dice.pick(&PHRASES[section]);
        let mut out = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').expect("every place in phrases.txt is closed");
            out.push_str(before);
            self.fill(name, &mut out, dice);
            rest = after;
        }
        out.push_str(rest);
        capitalised(out)
    }

    fn fill(&self, name: &str, out: &mut String, dice: &mut Dice) {
        match name {
            "thing" => out.push_str(dice.pick(&self.main.things)),
            "other" => {
                // Not the thing that stands there already.
                let mut other = dice.pick(&self.side.things);
                while out.to_lowercase().contains(&other.to_lowercase()) {
                    other = dice.pick(&self.side.things);
                }
                out.push_str(other);
            }
            "act" => out.push_str(dice.pick(&self.main.acts)),
            "remark" => out.push_str(dice.pick(&self.main.remarks)),
            "tag" => out.push_str(self.main.tag),
            "n" => out.push_str(&(2 + dice.below(58)).to_string()),
            _ => panic!("phrases.txt: unknown place {{{name}}}"),
        }
    }
}

fn capitalised(text: String) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(chars).collect(),
        _ => text,
    }
}
