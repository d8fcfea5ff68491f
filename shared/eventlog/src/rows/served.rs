//! A post that a feed showed.

use bincode::{Decode, Encode};
use covey_shared::ids::{PostId, UnixMillis, UserId};
use parquet::data_type::ByteArray;

use super::Row;
use crate::files::Kind;
use crate::table::{Column, column, text};

/// How a recall channel found a post.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct ChannelHit {
    /// Name of the channel.
    pub name: String,
    /// Position in the channel's list, from 1.
    pub rank: u32,
    /// What the channel ranks by: similarity, decayed engagement, or 0.
    pub score: f32,
}

/// A post that a feed showed: one row for each post of each page.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct ServedRow {
    /// When the request began, by the coordinator's clock.
    pub asked_at: UnixMillis,
    /// The request that showed the post.
    pub request: u64,
    /// The request that scored it, the key that actions name: that of an earlier page when the post comes from the session's reserve.
    /// 0 = it was not scored.
    pub prediction_request_id: u64,
    /// When it was scored; `None` = it was not.
    pub scored_at: Option<UnixMillis>,
    /// Who asked.
    pub viewer: UserId,
    /// Position on the page, from 1.
    pub slot: u32,
    /// The post.
    pub post: PostId,
    /// Its author.
    pub author: UserId,
    /// Of a repost the repeated post.
    pub repeated_post: Option<PostId>,
    /// Of a repost the author of the repeated post.
    pub repeated_author: Option<UserId>,
    /// When the post was written.
    pub created_at: UnixMillis,
    /// Every channel that found it, in the order of the pipeline.
    pub channels: Vec<ChannelHit>,
    /// The author is the viewer or followed; `None` = not known.
    pub in_network: Option<bool>,
    /// The request was for posts of followed users alone.
    pub in_network_only: bool,
    /// The page is one of the Following feed, which ranks nothing.
    pub following: bool,
    /// Actions by which viewers answered or passed on what is shown, when it was scored.
    pub engaged: u32,
    /// Actions by which viewers turned away.
    pub unwanted: u32,
    /// How often it had been on a screen.
    pub views: u32,
    /// How often the viewer liked what the author, or the author of what is repeated, wrote, less how often not.
    pub affinity: i32,
    /// The first score; `None` = no filter needed it.
    pub l1_score: Option<f64>,
    /// The score before business rules; `None` = not scored.
    pub weighted_score: Option<f64>,
    /// The score after AuthorDiversity; `None` = not scored.
    pub diversified_score: Option<f64>,
    /// The score that ranked it; `None` = not scored.
    pub score: Option<f64>,
    /// The version of the model that scored it; `None` = no model did, the score is that of a formula.
    pub model: Option<u32>,
    /// Its place was drawn, and not only ranked.
    pub explored: bool,
    /// Probability with which it got this place; 1 = it was ranked there.
    pub propensity: f32,
}

impl Row for ServedRow {
    const KIND: Kind = Kind::Served;

    const SCHEMA: &'static str = "message served {
  required int64 asked_at (timestamp(millis, true));
  required int64 request (integer(64, false));
  required int64 prediction_request_id (integer(64, false));
  optional int64 scored_at (timestamp(millis, true));
  required int64 viewer (integer(64, false));
  required int32 slot (integer(32, false));
  required int64 post (integer(64, false));
  required int64 author (integer(64, false));
  optional int64 repeated_post (integer(64, false));
  optional int64 repeated_author (integer(64, false));
  required int64 created_at (timestamp(millis, true));
  required group channels (list) {
    repeated group list {
      required group element {
        required binary name (string);
        required int32 rank (integer(32, false));
        required float score;
      }
    }
  }
  optional boolean in_network;
  required boolean in_network_only;
  required boolean following;
  required int32 engaged (integer(32, false));
  required int32 unwanted (integer(32, false));
  required int32 views (integer(32, false));
  required int32 affinity;
  optional double l1_score;
  optional double weighted_score;
  optional double diversified_score;
  optional double score;
  optional int32 model (integer(32, false));
  required boolean explored;
  required float propensity;
}";

    fn columns() -> Vec<Column<ServedRow>> {
        vec![
            column!(asked_at),
            column!(request),
            column!(prediction_request_id),
            column!(scored_at),
            column!(viewer),
            column!(slot),
            column!(post),
            column!(author),
            column!(repeated_post),
            column!(repeated_author),
            column!(created_at),
            channel_names(),
            channel_ranks(),
            channel_scores(),
            column!(in_network),
            column!(in_network_only),
            column!(following),
            column!(engaged),
            column!(unwanted),
            column!(views),
            column!(affinity),
            column!(l1_score),
            column!(weighted_score),
            column!(diversified_score),
            column!(score),
            column!(model),
            column!(explored),
            column!(propensity),
        ]
    }
}

/// The first column of the list: reading it makes the hits, which the other two fill.
fn channel_names() -> Column<ServedRow> {
    Column::new::<ByteArray>(
        |row, out| out.extend(row.channels.iter().map(|hit| ByteArray::from(hit.name.as_str()))),
        |row, names| {
            let hit = |name: &ByteArray| ChannelHit {
                name: text(name),
                ..ChannelHit::default()
            };
            row.channels = names.iter().map(hit).collect();
        },
    )
}

fn channel_ranks() -> Column<ServedRow> {
    Column::new::<i32>(
        |row, out| out.extend(row.channels.iter().map(|hit| hit.rank.cast_signed())),
        |row, ranks| {
            let hits = row.channels.iter_mut().zip(ranks);
            hits.for_each(|(hit, rank)| hit.rank = rank.cast_unsigned());
        },
    )
}

fn channel_scores() -> Column<ServedRow> {
    Column::new::<f32>(
        |row, out| out.extend(row.channels.iter().map(|hit| hit.score)),
        |row, scores| {
            row.channels
                .iter_mut()
                .zip(scores)
                .for_each(|(hit, score)| hit.score = *score)
        },
    )
}
