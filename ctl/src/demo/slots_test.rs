//! Clients compute slots as the cluster does.

use covey_shared::ids::UserId;
use covey_shared::slots::Slot;

use super::*;

#[test]
fn slots_are_those_of_the_cluster() {
    for user in [1, 2, 3, 1_000, u64::MAX] {
        assert_eq!(slot(user), u32::from(Slot::of(UserId(user)).0));
    }
}
