//! Good and bad rows of every format.

use std::fs;
use std::path::PathBuf;

use covey_api::v1::Post;
use tempfile::TempDir;

use super::*;
use crate::load::{Content, Row};
use crate::record::Record;
use crate::world::{World, WorldSpec};

fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, content).unwrap();
    (dir, path)
}

fn rows(format: &Format) -> Vec<Row> {
    format.open().unwrap().rows.collect()
}

fn posts(rows: &[Row]) -> Vec<Post> {
    let post = |row: &Row| match &row.content {
        Content::Record(record) => match record.as_ref() {
            Record::Post(post) => Some(post.clone()),
            _ => None,
        },
        Content::Bad(_) => None,
    };
    rows.iter().filter_map(post).collect()
}

fn bad(rows: &[Row]) -> Vec<(u64, String)> {
    let bad = |row: &Row| match &row.content {
        Content::Bad(why) => Some((row.line, why.clone())),
        Content::Record(_) => None,
    };
    rows.iter().filter_map(bad).collect()
}

#[test]
fn jsonl_reports_bad_lines_by_number_and_goes_on() {
    let text = "{\"post\":{\"post_id\":1,\"author_id\":2,\"text\":\"a\"}}\n\nnonsense\n{\"post\":{\"post_id\":2}}\n";
    let (_dir, path) = file("in.jsonl", text);
    let rows = rows(&Format::Jsonl(path));
    assert_eq!(posts(&rows).len(), 2);
    let bad = bad(&rows);
    assert_eq!((bad.len(), bad[0].0), (1, 3));
}

#[test]
fn hackernews_makes_a_user_and_a_post_of_each_story() {
    let text = "id,title,url,num_points,num_comments,author_id,created_at\n\
        12224879,Interactive Dynamic Video,http://x/,386,52,1,8/4/2016 11:52\n\
        10,\"Shims, Jigs\",http://y/,34,7,9,3/22/2016 16:18\n\
        11,\"no end,http://y/,34,7,9,3/22/2016 16:18\n\
        zero,A title,http://y/,34,7,9,3/22/2016 16:18\n\
        13,A title,http://y/,34,7,9,yesterday\n";
    let (_dir, path) = file("hn.csv", text);
    let all = rows(&Format::HackerNews {
        path: path.clone(),
        own_history: true,
    });
    let good = posts(&all);
    assert_eq!((good.len(), all.len()), (2, 2 * 3 + 3));
    assert_eq!((good[1].text.as_str(), good[1].author_id), ("Shims, Jigs", 9));
    assert_eq!(good[0].created_at_ms, 1_470_311_520_000);
    assert_eq!(bad(&all).iter().map(|b| b.0).collect::<Vec<_>>(), [4, 5, 6]);
}

#[test]
fn a_file_of_another_format_is_refused_as_a_whole() {
    let (_dir, path) = file("x.csv", "a,b,c\n1,2,3\n");
    let hackernews = Format::HackerNews {
        path: path.clone(),
        own_history: false,
    };
    let higgs = Format::Higgs {
        path,
        options: HiggsOptions { dim: 16, before: None },
    };
    for format in [hackernews, higgs] {
        let Err(error) = format.open() else {
            panic!("{} is refused", format.name())
        };
        assert!(error.to_string().contains(format.name()), "{error}");
    }
}

#[test]
fn higgs_makes_posts_references_and_follows() {
    let text = "1 2 1000000 MT\n1 2 1000000 RE\n3 2 1000100 RT\n3 2 1000200 RT\n4 1 1000300 RT\nx y z\n5 6 900000 MT\n7 8 1000400 MT\n";
    let (_dir, path) = file("higgs.txt", text);
    let format = |before| Format::Higgs {
        path: path.clone(),
        options: HiggsOptions { dim: 16, before },
    };
    let all = rows(&format(None));
    let Content::Record(first) = &all[0].content else {
        panic!("a follower")
    };
    let Record::User(user) = first.as_ref() else {
        panic!("a user")
    };
    assert_eq!((user.user_id, user.edges[0].target_id, user.edges.len()), (3, 2, 1));
    let posts = posts(&all);
    // The reply needs a post of 2; both retweets of 2 repeat it; the retweet of 1 repeats the reply.
    let authors: Vec<u64> = posts.iter().map(|p| p.author_id).collect();
    assert_eq!(authors, [2, 1, 3, 3, 4, 7]);
    assert_eq!(posts[1].reply_to.unwrap().post_id, posts[0].post_id);
    assert_eq!(posts[2].repost_of.unwrap().post_id, posts[0].post_id);
    assert_eq!(posts[4].repost_of.unwrap().post_id, posts[1].post_id);
    assert!(posts[0].post_id < posts[1].post_id && posts[0].created_at_ms + 60_000 == posts[1].created_at_ms);
    assert_eq!(bad(&all).iter().map(|b| b.0).collect::<Vec<_>>(), [6, 7]);
    assert!(
        posts
            .iter()
            .all(|p| p.repost_of.is_some() || (p.vector.len() == 16 && !p.media.is_empty()))
    );
    assert_eq!(
        self::posts(&rows(&format(Some(1_000_150)))).len(),
        3,
        "what comes later is held out"
    );
}

fn fvec(values: &[f32]) -> Vec<u8> {
    let mut bytes = (values.len() as i32).to_le_bytes().to_vec();
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

fn fvecs(content: Vec<u8>) -> Vec<Row> {
    let (dir, path) = file("v.fvecs", content);
    let words = dir.path().join("words.txt");
    fs::write(&words, "alpha\nbeta\n").unwrap();
    rows(&Format::Fvecs {
        path,
        options: FvecsOptions {
            words: Some(words),
            dim: 4,
            authors: 10,
            now_ms: 5,
        },
    })
}

#[test]
fn fvecs_are_padded_and_named() {
    let rows = fvecs([fvec(&[1.0, 2.0]), fvec(&[3.0, 4.0, 5.0]), fvec(&[1.0])].concat());
    let posts = posts(&rows);
    assert_eq!(posts[0].vector, [1.0, 2.0, 0.0, 0.0]);
    let texts: Vec<&str> = posts.iter().map(|p| p.text.as_str()).collect();
    assert_eq!(texts, ["alpha", "beta", "vector 3"]);
}

#[test]
fn hostile_fvecs_cost_rows_not_memory() {
    let odd = [fvec(&[f32::NAN, 1.0]), fvec(&[0.0, 0.0]), fvec(&[1.0; 5]), fvec(&[1.0])].concat();
    assert_eq!(bad(&fvecs(odd)).len(), 3);
    let absurd = [i32::MAX.to_le_bytes().to_vec(), vec![0; 100]].concat();
    assert_eq!(bad(&fvecs(absurd)).len(), 1);
    let cut = fvec(&[1.0, 2.0])[..7].to_vec();
    assert!(bad(&fvecs(cut))[0].1.contains("breaks off"));
}

#[test]
fn a_world_writes_every_post_once_and_after_what_it_refers_to() {
    let world = World::new(WorldSpec {
        users: 200,
        posts: 2_000,
        sessions: 20,
        seed: 1,
        hours: 48,
        now_ms: 1_750_000_000_000,
    });
    let rows = rows(&Format::World(Arc::new(world.unwrap())));
    let mut written = std::collections::BTreeSet::new();
    for post in posts(&rows) {
        for other in crate::load::group::references(&post) {
            assert!(written.contains(&other), "{other} is written before {}", post.post_id);
        }
        assert!(written.insert(post.post_id));
    }
    assert_eq!(written.len(), 2_000);
    assert!(bad(&rows).is_empty());
}

/// The real files, where they are at hand.
#[test]
fn real_files_have_no_bad_rows() {
    let data = PathBuf::from("../../shared/data");
    if !data.exists() {
        eprintln!("skipped: {} is not there", data.display());
        return;
    }
    let hackernews = rows(&Format::HackerNews {
        path: data.join("posts/hacker_news.csv.gz"),
        own_history: false,
    });
    assert_eq!((posts(&hackernews).len(), bad(&hackernews)), (20_100, vec![]));
    let glove = Format::Fvecs {
        path: data.join("vectors/glove6b-100d-top50k.fvecs"),
        options: FvecsOptions {
            words: Some(data.join("vectors/glove6b-100d-top50k.words.txt")),
            dim: 128,
            authors: 1_000,
            now_ms: 1,
        },
    };
    let count = glove
        .open()
        .unwrap()
        .rows
        .filter(|r| matches!(r.content, Content::Record(_)))
        .count();
    assert_eq!(count, 50_000);
    let higgs = Format::Higgs {
        path: data.join("higgs/higgs-activity_time.txt.gz"),
        options: HiggsOptions { dim: 16, before: None },
    };
    let (mut good, mut bad) = (0, 0);
    for row in higgs.open().unwrap().rows {
        match row.content {
            Content::Record(_) => good += 1,
            Content::Bad(_) => bad += 1,
        }
    }
    assert!(good > 500_000 && bad == 0, "{good} good, {bad} bad");
}

#[test]
fn loads_of_other_rows_of_a_file_are_other_loads() {
    let higgs = |before| Format::Higgs {
        path: "higgs.txt".into(),
        options: HiggsOptions { dim: 4, before },
    };
    let news = |own_history| Format::HackerNews {
        path: "news.csv".into(),
        own_history,
    };
    assert_ne!(higgs(None).identity(), higgs(Some(7)).identity());
    assert_eq!(higgs(Some(7)).identity(), higgs(Some(7)).identity());
    assert_ne!(news(false).identity(), news(true).identity());
}
