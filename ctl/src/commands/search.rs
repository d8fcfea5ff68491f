//! `covey search`.

use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use covey_api::v1::{SearchFilter, SearchRequest};

use super::{Context, Outcome, now_ms};
use crate::args::SearchArgs;
use crate::client::refused;
use crate::render::cards;

pub(super) async fn run(context: &Context, args: SearchArgs) -> Result<Outcome> {
    let filter = SearchFilter {
        authors: args.authors,
        language: args.language,
        created_from_ms: args
            .within
            .map_or(0, |age| now_ms().saturating_sub(age.as_millis() as u64)),
        video: args.video,
        ..SearchFilter::default()
    };
    let request = SearchRequest {
        vector: args
            .query
            .vector
            .as_deref()
            .map(vector)
            .transpose()?
            .unwrap_or_default(),
        post: args.query.post,
        text: args.query.text.unwrap_or_default(),
        k: args.k,
        exact: args.exact,
        strong: args.strong,
        filter: Some(filter),
        with_posts: true,
        deadline_ms: args.deadline.map_or(0, |deadline| deadline.as_millis() as u32),
        ..SearchRequest::default()
    };
    let client = context.connect().await?;
    let started = Instant::now();
    let reply = client
        .rpc()
        .search_similar(request)
        .await
        .map_err(refused("search"))?
        .into_inner();
    let took_ms = started.elapsed().as_secs_f64() * 1000.0;
    context.show(&reply, || cards::hits(&reply, took_ms, now_ms(), context.style))?;
    Ok(Outcome::Done)
}

/// Numbers with commas or white space between, or the content of a file of them.
fn vector(text: &str) -> Result<Vec<f32>> {
    let content = match text.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?,
        None => text.to_owned(),
    };
    let parts = content
        .split([',', ' ', '\n', '\t', '[', ']', '\r'])
        .filter(|part| !part.is_empty());
    parts
        .map(|part| part.parse().map_err(|_| anyhow!("--vector: {part:?} is no number")))
        .collect()
}

#[cfg(test)]
#[path = "search_test.rs"]
mod tests;
