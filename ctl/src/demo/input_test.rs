//! Recognising files and choosing the cast.

use super::*;

fn size() -> WorldSize {
    WorldSize {
        users: 300,
        posts: 3_000,
        sessions: Some(60),
        seed: 1,
        hours: 48,
        until: None,
    }
}

#[test]
fn files_are_recognised_by_content() {
    let dir = tempfile::tempdir().unwrap();
    let name = |content: &str| {
        let path = dir.path().join("input");
        std::fs::write(&path, content).unwrap();
        recognised(&path).map(|format| format.name())
    };
    assert_eq!(name("{\"post\":{}}\n").unwrap(), "jsonl");
    assert_eq!(
        name("id,title,url,num_points,num_comments,author_id,created_at\n").unwrap(),
        "hackernews"
    );
    assert_eq!(name("223789 213163 1341100972 MT\n").unwrap(), "higgs");
    assert!(name("hello\n").unwrap_err().to_string().contains("docs/loaders.md"));
    assert!(recognised(Path::new("/nowhere")).is_err());
    assert_eq!(recognised(Path::new("glove.fvecs")).unwrap().name(), "fvecs");
}

#[test]
fn the_cast_of_a_world_has_viewers_with_history_and_enough_queries() {
    let format = Wish::World(size()).format(1_750_000_000_000).unwrap();
    let cast = cast(&format).unwrap();
    assert_eq!(cast.queries.len(), QUERIES);
    assert!(cast.viewers.len() > 20);
    let Format::World(world) = &format else {
        panic!("a world")
    };
    assert!(cast.viewers.iter().all(|viewer| !world.person(viewer - 1).bot));
}

#[test]
fn a_wish_is_known_again_whenever_it_is_made() {
    let later = WorldSize {
        until: Some(5),
        ..size()
    };
    assert_eq!(Wish::World(size()).name(), Wish::World(later).name());
}
