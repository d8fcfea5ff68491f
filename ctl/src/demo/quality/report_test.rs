//! What a list is worth, and when the pipeline is good enough.

use super::*;

fn entry(post: u64, gain: f64) -> Entry {
    Entry {
        post,
        author: post / 2,
        topic: (post % 3) as u8,
        created_ms: 0,
        gain,
        popularity: 0.0,
        followed: post < 2,
        cold: post >= 2,
    }
}

fn text(post: u64) -> String {
    format!("text {}", post.min(2))
}

#[test]
fn a_list_is_judged_by_its_pool() {
    let pool: Vec<Entry> = (0..5).map(|post| entry(post, 5.0 - post as f64)).collect();
    // Whatever order the pool is in.
    let of_pool = Best::of(&pool.iter().rev().copied().collect::<Vec<Entry>>(), 4);
    let best = row(&pool[..4], &of_pool, text);
    assert_eq!(
        (best.ndcg, best.in_network, best.authors, best.topics),
        (Some(1.0), 0.5, 0.5, 3.0)
    );
    assert_eq!(best.duplicates, 0.25, "the texts of posts 2 and 3 are the same");
    let cold = best.cold_posts.unwrap();
    // Cold ones at places 3 and 4, where they could be at 1 and 2, and one more.
    let wanted = (3.0 / 2.0 + 2.0 / 5_f64.log2()) / (3.0 + 2.0 / 3_f64.log2() + 1.0 / 2.0);
    assert!((cold - wanted).abs() < 1e-9, "{cold} {wanted}");
    let twice = row(&[pool[0], pool[0]], &of_pool, text);
    let once = row(&[pool[0]], &of_pool, text);
    assert_eq!(twice.ndcg, once.ndcg);
}

/// Viewers whose pipeline is above popularity by `by` and, on the average, 0.02 of noise.
fn rows(by: f64) -> Vec<BTreeMap<Method, Row>> {
    let row = |ndcg: f64| Row {
        ndcg: Some(ndcg),
        ..Row::default()
    };
    let viewer = |number: u32| {
        let noise = f64::from(number % 5) / 100.0;
        BTreeMap::from([
            (Method::Pipeline, row(0.3 + by + noise)),
            (Method::Popularity, row(0.3)),
            (Method::Recency, row(0.1)),
        ])
    };
    (0..50).map(viewer).collect()
}

#[test]
fn above_is_by_more_than_three_errors_of_the_paired_difference() {
    let good = Report::new(1, &rows(0.05), &[]);
    assert!(good.good && good.human(Style::plain()).contains(": met"));
    let of = |report: &Report, method: &str| {
        let found = report.figures.iter().find(|one| one.method == method);
        found.unwrap().clone()
    };
    assert_eq!(of(&good, "popularity").ndcg35, 0.3);
    assert_eq!(of(&good, "pipeline").pipeline_above_se, 0.0);
    let equal = Report::new(1, &rows(-0.02), &[]);
    assert!(!equal.good && of(&equal, "popularity").pipeline_above_se.abs() < 0.1);
    assert!(of(&equal, "recency").pipeline_above_se > 3.0);
}

#[test]
fn viewers_without_a_history_count_apart() {
    let report = Report::new(1, &rows(0.1), &rows(0.4));
    let pipeline = &report.figures[0];
    assert_eq!((pipeline.viewers, pipeline.cold_viewers), (50, 50));
    assert!((pipeline.ndcg35 - 0.42).abs() < 1e-4 && (pipeline.cold_viewer_ndcg35 - 0.72).abs() < 1e-4);
}
