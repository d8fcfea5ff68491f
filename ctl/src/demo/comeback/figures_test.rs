//! The verdict: by snapshot, nothing twice, nothing lost, nothing failed.

use super::*;

fn searches() -> Searches {
    let mut searches = Searches::default();
    (searches.asked, searches.failed) = (100, 0);
    searches
}

fn back(after: &'static str, kills: usize) -> Return {
    Return {
        after,
        moved: Some(Moved {
            snapshot_bytes: 1 << 20,
            received_bytes: 1 << 20,
            kills,
            ..Moved::default()
        }),
        kills_wanted: kills,
        fetching_s: Some(1.0),
        fetched_s: Some(2.0),
        whole_s: 3.0,
        written: 5,
        searches: searches(),
        p99_ratio: 1.5,
    }
}

fn figures() -> Figures {
    Figures {
        posts: 1000,
        posts_per_entry: 1,
        ingest_per_s: 10.0,
        posts_behind: 1000,
        entries_behind: 1020,
        entries_gone: 900,
        snapshot_rate: 1 << 20,
        searches_per_s: 20,
        writes_per_s: 200,
        quiet: searches(),
        returns: vec![back("far behind", 3), back("emptied", 0)],
        accepted: 10,
        refused: 0,
        replicas: vec![1010; 3],
        equal: true,
    }
}

#[test]
fn replicas_that_came_back_whole_are_good() {
    assert_eq!(figures().faults(), Vec::<String>::new());
    let text = figures().human(Style::plain());
    assert!(text.contains("equal: each replica holds 1 010 posts"), "{text}");
}

#[test]
fn what_is_not_as_it_must_be_is_named() {
    let fault = |change: fn(&mut Figures)| {
        let mut figures = figures();
        change(&mut figures);
        let faults = figures.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(figures.human(Style::plain()).contains(&faults[0]));
        faults[0].clone()
    };
    assert!(fault(|f| f.quiet.failed = 1).contains("1 of 100 searches failed"));
    assert!(fault(|f| f.returns[1].searches.asked = 0).starts_with("emptied"));
    assert!(fault(|f| f.returns[0].searches.short = 7).contains("7 of 100 answers had too few hits"));
    assert!(fault(|f| f.returns[0].searches.incomplete = 2).contains("2 of 100 answers were not whole"));
    assert!(fault(|f| f.returns[0].moved.as_mut().unwrap().changes = 1).contains("another snapshot"));
    assert!(fault(|f| (f.accepted, f.replicas) = (0, vec![1000; 3])).contains("no write"));
    assert!(fault(|f| f.returns[0].moved = None).contains("without a snapshot"));
    assert!(fault(|f| f.returns[1].moved.as_mut().unwrap().verified_again_bytes = 1).contains("sent again"));
    assert!(fault(|f| f.returns[0].moved.as_mut().unwrap().kills = 2).contains("2 of 3 kills"));
    assert!(fault(|f| f.equal = false).contains("not equal"));
    assert!(fault(|f| f.replicas[2] = 1009).contains("1010 were acknowledged"));
}

#[test]
fn a_write_without_an_answer_may_be_there_or_not() {
    let mut figures = figures();
    figures.refused = 2;
    for posts in 1010..=1012 {
        figures.replicas = vec![posts; 3];
        assert_eq!(figures.faults(), Vec::<String>::new());
    }
    figures.replicas = vec![1013; 3];
    assert_eq!(figures.faults().len(), 1);
}
