//! Tests of feed.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_weight_stands_at_the_place_of_its_action() {
    use ActionKind::*;
    let of = WeightsConfig::default();
    // Some weights are 0 by default, some equal.
    let of = WeightsConfig {
        profile_click: 0.1,
        dwell: 0.2,
        photo_expand: 0.3,
        vqv: 0.6,
        share_via_dm: 6.0,
        quote: 7.0,
        ..of
    };
    let wanted = [
        (Favorite, of.favorite),
        (Reply, of.reply),
        (Repost, of.retweet),
        (PhotoExpand, of.photo_expand),
        (Click, of.click),
        (ProfileClick, of.profile_click),
        (Vqv, of.vqv),
        (Share, of.share),
        (ShareViaDm, of.share_via_dm),
        (ShareViaCopyLink, of.share_via_copy_link),
        (Dwell, of.dwell),
        (Quote, of.quote),
        (QuotedClick, of.quoted_click),
        (FollowAuthor, of.follow_author),
        (NotInterested, of.not_interested),
        (BlockAuthor, of.block_author),
        (MuteAuthor, of.mute_author),
        (Report, of.report),
        (DwellTime, of.dwell_time),
    ];
    let distinct: BTreeSet<u64> = wanted.iter().map(|(_, weight)| weight.to_bits()).collect();
    assert_eq!((distinct.len(), wanted.len()), (HEADS, HEADS));
    let weights = of.by_head();
    for (kind, weight) in wanted {
        assert_eq!(weights[kind.index()], weight, "{kind:?}");
    }
}
