//! The records of the product: posts, users, actions. These are what the log carries and the post store keeps.

mod action;
mod post;
mod user;

pub use action::{Action, ActionKind, HEADS};
pub use post::{F16Vector, Language, Media, MediaKind, Post, PostRef, PostV1, RefHint, Topics, labels};
pub use user::{EdgeKind, EdgeUpdate, Profile, UserUpdate};
