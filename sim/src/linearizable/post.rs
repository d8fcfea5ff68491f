//! A post that several clients put, delete and read: the highest version wins, whichever comes last.

use covey_shared::ids::Version;

use super::Specification;

/// The specification of one post.
#[derive(Clone, Debug)]
pub(crate) struct HotPost;

/// The version of the last change that counted, and whether it put the post or deleted it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct PostState {
    version: Version,
    there: bool,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PostCall {
    /// Store this version.
    Put(Version),
    /// Delete it, as of this version.
    Delete(Version),
    /// Which version is there?
    Read,
}

/// What it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PostAnswer {
    /// The first and only try of a change was taken.
    Taken,
    /// The first and only try of a change came after a newer one.
    Superseded,
    /// A change was tried again before this answer came: each try may have been the one that counted.
    Settled,
    /// The version that is there, if there is a post.
    Found(Option<Version>),
}

impl Specification for HotPost {
    type State = PostState;
    type Call = PostCall;
    type Answer = PostAnswer;

    fn step(state: &PostState, call: &PostCall, answer: Option<&PostAnswer>) -> Option<PostState> {
        let after = match call {
            PostCall::Put(version) => PostState {
                version: *version,
                there: true,
            },
            PostCall::Delete(version) => PostState {
                version: *version,
                there: false,
            },
            PostCall::Read => {
                let found = state.there.then_some(state.version);
                let fits = answer.is_none_or(|answer| *answer == PostAnswer::Found(found));
                return fits.then(|| state.clone());
            }
        };
        // Versions differ, so none is equal.
        let counts = after.version > state.version;
        let fits = match answer {
            Some(PostAnswer::Taken) => counts,
            Some(PostAnswer::Superseded) => !counts,
            Some(PostAnswer::Settled) | None => true,
            Some(PostAnswer::Found(_)) => false,
        };
        fits.then(|| if counts { after } else { state.clone() })
    }
}

#[cfg(test)]
#[path = "post_test.rs"]
mod tests;
