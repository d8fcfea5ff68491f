//! `hackernews`: stories as a CSV file (id, title, url, num_points, num_comments, author_id, created_at as
//! month/day/year hour:minute UTC). One post per story.

use std::path::Path;

use covey_api::v1::{Action, ActionKind, Post, Profile, UserUpdate};

use crate::load::calendar;
use crate::load::files::{self, Lines, OpenError};
use crate::load::source::{Row, Source};
use crate::record::Record;

const HEADER: &str = "id,title,url,num_points,num_comments,author_id,created_at";

/// Opens the file. With `own_history` every story is also recorded as a favourite of its own author: the file has no
/// readers, so authors with several stories stand for them.
pub(crate) fn open(path: &Path, own_history: bool) -> Result<Source, OpenError> {
    let input = files::open(path)?;
    let mut lines = Lines::new(input.reader);
    let header = lines.next().and_then(|(_, line)| line.ok()).unwrap_or_default();
    if header.trim_start_matches('\u{feff}') != HEADER {
        return Err(OpenError::Format {
            path: path.to_owned(),
            format: "hackernews",
            why: format!("the first line is not {HEADER}"),
        });
    }
    let rows = lines.flat_map(move |(line, text)| match text.and_then(|text| story(&text)) {
        Ok(post) => stories_records(line, post, own_history),
        Err(why) => vec![Row::bad(line, why)],
    });
    Ok(Source {
        rows: Box::new(rows),
        total: input.total,
    })
}

fn stories_records(line: u64, post: Post, own_history: bool) -> Vec<Row> {
    let author = UserUpdate {
        user_id: post.author_id,
        version: 1,
        profile: Some(Profile {
            screen_name: format!("hn_{}", post.author_id),
            language: "en".into(),
            ..Profile::default()
        }),
        ..UserUpdate::default()
    };
    let action = own_history.then(|| Action {
        viewer_id: post.author_id,
        kind: ActionKind::Favorite.into(),
        post_id: post.post_id,
        author_id: post.author_id,
        at_ms: post.created_at_ms,
        ..Action::default()
    });
    let records = [
        Some(Record::User(author)),
        Some(Record::Post(post)),
        action.map(Record::Action),
    ];
    records
        .into_iter()
        .flatten()
        .map(|record| Row::record(line, record))
        .collect()
}

/// One line as a post; each line is parsed by itself, so that a lost quote costs one row.
fn story(text: &str) -> Result<Post, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let record = records.next().ok_or("empty line")?.map_err(|e| e.to_string())?;
    let fields: Vec<&str> = record.iter().collect();
    let [id, title, _url, _points, _comments, author, created] = fields[..] else {
        return Err(format!("7 fields expected, found {}", fields.len()));
    };
    let number = |what: &str, text: &str| {
        let parsed = text.trim().parse::<u64>().ok().filter(|n| *n > 0);
        parsed.ok_or_else(|| format!("{what} {text:?} is no number above 0"))
    };
    if title.trim().is_empty() {
        return Err("the title is empty".into());
    }
    Ok(Post {
        post_id: number("id", id)?,
        author_id: number("author_id", author)?,
        text: title.trim().to_owned(),
        language: "en".into(),
        created_at_ms: calendar::month_first(created)
            .ok_or_else(|| format!("created_at {created:?} is no month/day/year hour:minute"))?,
        ..Post::default()
    })
}
