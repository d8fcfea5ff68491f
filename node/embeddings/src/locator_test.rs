//! Tests of the locator.

use super::*;

const A: FolderId = FolderId(1);
const B: FolderId = FolderId(2);

fn at(folder: FolderId, row: u32) -> Location {
    Location { folder, row }
}

fn with_folder(locator: &mut Locator, folder: FolderId) -> Arc<DeletedBits> {
    let bits = Arc::new(DeletedBits::new(100));
    locator.add_folder(folder, Arc::clone(&bits));
    bits
}

#[test]
fn a_newer_row_kills_the_older_one() {
    let mut locator = Locator::default();
    let bits = with_folder(&mut locator, A);
    locator.insert(PostId(1), Version(1), at(A, 0));
    locator.insert(PostId(1), Version(2), at(A, 1));
    assert_eq!((bits.get(0), bits.get(1)), (true, false));
    assert_eq!(locator.find(PostId(1)), Some((at(A, 1), Version(2))));
}

#[test]
fn deletes_during_a_merge_reach_the_merged_folder() {
    let mut locator = Locator::default();
    let old = with_folder(&mut locator, A);
    for row in 0..4 {
        locator.insert(PostId(u64::from(row)), Version(1), at(A, row));
    }
    locator.remove(PostId(0));
    // The merge begins: row 0 is dropped. Post 1 dies while it runs, post 2 after the swap, post 3 after settling.
    let rows: Arc<[u32]> = [DROPPED, 0, 1, 2].into();
    locator.remove(PostId(1));
    let new = with_folder(&mut locator, B);
    locator.forward(A, B, rows);
    assert_eq!(locator.find(PostId(3)), Some((at(B, 2), Version(1))));
    locator.remove(PostId(2));
    assert!(old.get(2), "for searches on the older view");
    locator.settle([PostId(1), PostId(2), PostId(3)].into_iter());
    locator.remove_folder(A);
    assert_eq!(locator.find(PostId(3)), Some((at(B, 2), Version(1))));
    locator.remove(PostId(3));
    assert!(new.get(0) && new.get(1) && new.get(2));
    assert_eq!((new.count(), locator.len()), (3, 0));
}

#[test]
fn an_older_row_that_comes_later_is_not_taken() {
    let mut locator = Locator::default();
    let bits = with_folder(&mut locator, A);
    assert!(locator.insert_unless_newer(PostId(1), Version(2), at(A, 0)));
    assert!(!locator.insert_unless_newer(PostId(1), Version(1), at(A, 1)));
    assert_eq!(locator.find(PostId(1)), Some((at(A, 0), Version(2))));
    assert!(!bits.get(0));
    for (row, version) in [(2, 2), (3, 3)] {
        assert!(locator.insert_unless_newer(PostId(1), Version(version), at(A, row)));
        assert_eq!(locator.find(PostId(1)), Some((at(A, row), Version(version))));
        assert!(bits.get(if row == 2 { 0 } else { 2 }));
    }
}
