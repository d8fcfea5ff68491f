//! The handlers of writes: check every item, send the good ones, answer for all.

use covey_api::v1;
use covey_shared::ids::{ActionId, PostKey, UserId};
use covey_shared::model::{Post, PostRef};

use crate::api::convert::{ItemFault, action, item_results, label_update, post, post_delete, user_update};
use crate::api::errors::ApiError;
use crate::api::service::Api;
use crate::cluster::ReadContext;
use crate::ingest::{WriteItem, fill_references};
use crate::request::RequestContext;

type Checked<T> = Vec<Result<T, ItemFault>>;

impl Api {
    /// Writes posts.
    ///
    /// 1. Check each, and make the vectors that are missing.
    /// 2. Look up the posts that they answer, repeat or quote.
    /// 3. Send them to the shards of their authors.
    pub(crate) async fn put_posts(
        &self,
        request: v1::PutPostsRequest,
        context: RequestContext,
    ) -> Result<v1::WriteReply, ApiError> {
        self.limits.batch(request.posts.len())?;
        let (now, limits) = (self.unix_now(), self.limits.clone());
        let posts = request.posts;
        let check = move || -> Checked<Post> { posts.into_iter().map(|p| post(p, now, &limits)).collect() };
        let mut posts = self.compute(check).await?;
        let token = self.deps.sealer.open_token(&request.session_token)?;
        let read = ReadContext::query(context.deadline, token);
        let mut good: Vec<&mut Post> = posts.iter_mut().flatten().collect();
        fill_references(&self.deps.cluster, &mut good, &read).await;
        let checked = posts
            .into_iter()
            .map(|p| p.and_then(with_known_authors).map(WriteItem::PutPost));
        self.write(checked.collect(), &request.session_token, context).await
    }

    /// Deletes posts.
    pub(crate) async fn delete_posts(
        &self,
        request: v1::DeletePostsRequest,
        context: RequestContext,
    ) -> Result<v1::WriteReply, ApiError> {
        self.limits.batch(request.posts.len())?;
        let now = self.unix_now();
        let items = request
            .posts
            .iter()
            .map(|d| post_delete(d, now).map(WriteItem::DeletePost));
        self.write(items.collect(), &request.session_token, context).await
    }

    /// Writes users.
    pub(crate) async fn put_users(
        &self,
        request: v1::PutUsersRequest,
        context: RequestContext,
    ) -> Result<v1::WriteReply, ApiError> {
        self.limits.batch(request.users.len())?;
        let now = self.unix_now();
        let users = request.users.into_iter();
        let items = users.map(|u| user_update(u, now, &self.limits).map(WriteItem::PutUser));
        self.write(items.collect(), &request.session_token, context).await
    }

    /// Records actions.
    pub(crate) async fn record_actions(
        &self,
        request: v1::RecordActionsRequest,
        context: RequestContext,
    ) -> Result<v1::WriteReply, ApiError> {
        self.limits.batch(request.actions.len())?;
        let now = self.unix_now();
        let (client, sequence) = match request.client_id {
            // Without an identity the request gets one that nobody else has.
            0 => (self.env().entropy.next_u64(), self.env().entropy.next_u64()),
            client => (client, request.sequence),
        };
        let items = request.actions.iter().enumerate().map(|(item, a)| {
            let item = item as u32;
            let id = ActionId { client, sequence, item };
            action(a, id, now).map(WriteItem::Action)
        });
        self.write(items.collect(), &request.session_token, context).await
    }

    /// Replaces labels.
    pub(crate) async fn set_labels(
        &self,
        request: v1::SetLabelsRequest,
        context: RequestContext,
    ) -> Result<v1::WriteReply, ApiError> {
        self.limits.batch(request.updates.len())?;
        let now = self.unix_now();
        let items = request
            .updates
            .iter()
            .map(|u| label_update(u, now).map(WriteItem::Labels));
        self.write(items.collect(), &request.session_token, context).await
    }

    async fn write(
        &self,
        items: Checked<WriteItem>,
        session_token: &str,
        context: RequestContext,
    ) -> Result<v1::WriteReply, ApiError> {
        let mut token = self.deps.sealer.open_token(session_token)?;
        let mut refused: Vec<Option<ItemFault>> = Vec::with_capacity(items.len());
        let mut good = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Ok(item) => {
                    good.push(item);
                    refused.push(None);
                }
                Err(fault) => refused.push(Some(fault)),
            }
        }
        let submitted = if good.is_empty() {
            Default::default()
        } else {
            self.deps.ingest.submit(good, context.deadline).await
        };
        token.merge(&submitted.token);
        let mut reply = item_results(&refused, submitted.outcomes);
        reply.session_token = self.deps.sealer.seal_token(&token);
        reply.trace_id = context.trace_id;
        Ok(reply)
    }
}

/// A reference without an author leads nowhere: the author decides where a post lives.
fn with_known_authors(post: Post) -> Result<Post, ItemFault> {
    let references = [
        ("reply_to", &post.reply_to),
        ("repost_of", &post.repost_of),
        ("quote_of", &post.quote_of),
    ];
    for (field, reference) in references {
        if let Some(PostRef {
            key: PostKey {
                author: UserId(0),
                post,
            },
            ..
        }) = reference
        {
            return Err(ItemFault::UnknownAuthor { field, post_id: post.0 });
        }
    }
    Ok(post)
}
