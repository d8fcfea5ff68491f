//! A `conf_ver` of a shard means one list of members for ever, and does not go back under a leader.

use covey_shared::wire::ShardReport;

use crate::history::{Heard, History};

/// Checks one report against others; what was heard `before` it was asked for must not be newer.
pub(crate) fn one_list_per_version(history: &mut History, before: &Heard, report: &ShardReport) {
    let known = &report.descriptor;
    let (shard, version) = (known.shard, known.epoch.conf_ver);
    let first = history
        .versions
        .entry((shard, version))
        .or_insert_with(|| known.members.clone());
    if *first != known.members {
        let broken = format!("{shard:?} conf_ver {version}: {first:?} and {:?}", known.members);
        history.violations.push(broken);
    }
    // Who does not lead may know less after a restart.
    if report.members.is_empty() {
        return;
    }
    let led = (shard, report.term);
    if let Some(newest) = before.led.get(&led).filter(|newest| version < **newest) {
        let broken = format!(
            "{shard:?} {:?}: conf_ver went back from {newest} to {version}",
            report.term
        );
        history.violations.push(broken);
    }
    let newest = history.heard.led.entry(led).or_insert(version);
    *newest = version.max(*newest);
}
