//! What is not as usual stands in the last column.

use covey_api::v1::MemberView;

use super::*;

#[test]
fn each_shard_says_who_leads_and_what_is_not_as_usual() {
    let member = |node, heard, behind| MemberView { node, heard, behind };
    let fine = ShardView {
        shard: 0,
        range_ver: 1,
        conf_ver: 1,
        leader: 2,
        voters: vec![1, 2, 3],
        members: vec![member(1, true, 3), member(2, true, 0), member(3, true, 0)],
        ..ShardView::default()
    };
    let joining = ShardView {
        shard: 1,
        slot_end: 8192,
        conf_ver: 2,
        learners: vec![4],
        members: vec![member(3, false, 0), member(4, true, 5_000)],
        ..fine.clone()
    };
    let joint = ShardView {
        shard: 2,
        slot_start: 8192,
        slot_end: 16_384,
        leader: 0,
        voters: vec![2, 3, 4],
        outgoing: vec![1, 2, 3],
        members: vec![],
        ..fine.clone()
    };
    let reply = DescribeClusterReply {
        shards: vec![fine, joining, joint],
        ..DescribeClusterReply::default()
    };
    assert_eq!(
        human(&reply, Style::plain()),
        "SHARD  SLOTS       EPOCH  LEADER  REPLICAS  STATE\n\
         meta   –           1.1    node 2  1, 2, 3   ok\n\
         1      0–8191      1.2    node 2  1, 2, 3   node 4 has no vote; node 3 is silent; node 4 is 5 000 entries behind\n\
         2      8192–16383  1.1    none    2, 3, 4   no leader was heard of lately; the vote goes over from 1, 2, 3 to 2, 3, 4\n"
    );
}
