//! Default names.

use super::short_type_name;

struct SelfPost;
struct Cached<T>(std::marker::PhantomData<T>);

#[test]
fn a_name_is_the_last_segment_without_generic_arguments() {
    assert_eq!(short_type_name::<SelfPost>(), "SelfPost");
    assert_eq!(
        short_type_name::<Cached<std::collections::BTreeMap<u8, u8>>>(),
        "Cached"
    );
}
