//! What is refused when room runs out.

use super::*;

const ROOM: Room = Room {
    log: 1000,
    max_log: 1000,
    disk_low: false,
    pressure: false,
};

/// Which of: trims, takedowns, deliveries, content.
fn passes(room: Room) -> [bool; 4] {
    [Need::FreesRoom, Need::Urgent, Need::Repeated, Need::Content].map(|need| room.refuses(need).is_none())
}

#[test]
fn a_full_log_holds_back_all_but_trims_and_takedowns_have_a_reserve() {
    assert_eq!(passes(ROOM), [true; 4]);
    assert_eq!(passes(Room { log: 1001, ..ROOM }), [true, true, false, false]);
    assert_eq!(passes(Room { log: 1250, ..ROOM }), [true, true, false, false]);
    assert_eq!(passes(Room { log: 1251, ..ROOM }), [true, false, false, false]);
}

#[test]
fn full_memory_holds_back_content_and_a_low_disk_deliveries_too() {
    assert_eq!(passes(Room { pressure: true, ..ROOM }), [true, true, true, false]);
    assert_eq!(passes(Room { disk_low: true, ..ROOM }), [true, true, false, false]);
}

#[test]
fn every_command_has_its_place() {
    let need = |command: ShardCommand| format!("{:?}", Need::of(&command));
    assert_eq!(need(ShardCommand::TrimBefore(UnixMillis(1))), "FreesRoom");
    assert_eq!(need(ShardCommand::TrimOutbox(vec![])), "FreesRoom");
    assert_eq!(need(ShardCommand::DeletePosts(vec![])), "Urgent");
    assert_eq!(need(ShardCommand::SetLabels(vec![])), "Urgent");
    assert_eq!(need(ShardCommand::ApplyEffects(vec![])), "Repeated");
    assert_eq!(need(ShardCommand::RecordServed(vec![])), "Repeated");
    assert_eq!(need(ShardCommand::PutPosts(vec![])), "Content");
}
