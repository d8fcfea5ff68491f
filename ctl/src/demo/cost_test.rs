//! Means over feeds, not over appearances.

use super::*;

fn report(component: &str, time_ms: f64, shard_work_ms: f64) -> StageReport {
    StageReport {
        stage: "source".into(),
        component: component.into(),
        time_ms,
        shard_work_ms,
        candidates_out: 10,
        wire_bytes: 1024,
        ..StageReport::default()
    }
}

#[test]
fn a_component_that_ran_in_one_feed_of_two_costs_half() {
    let feeds = [
        vec![report("InNetwork", 2.0, 1.0), report("Popular", 4.0, 8.0)],
        vec![report("InNetwork", 4.0, 3.0)],
    ];
    let costs = means(&feeds);
    let found: Vec<_> = costs
        .iter()
        .map(|c| (c.component.as_str(), c.time_ms, c.shard_work_ms))
        .collect();
    assert_eq!(found, [("InNetwork", 3.0, 2.0), ("Popular", 2.0, 4.0)]);
    let text = human(&costs, Style::plain());
    assert!(
        text.find("InNetwork") < text.find("Popular"),
        "the order of the pipeline: {text}"
    );
    assert_eq!(wire_bytes(&costs), 1536.0);
    assert_eq!((costs[0].candidates_out, costs[1].candidates_out), (10.0, 5.0));
}
