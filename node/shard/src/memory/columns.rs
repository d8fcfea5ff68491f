//! Fixed-width columns of the live posts, in append-only chunks of atomic words. Readers take no lock.
//!
//! An edited post gets a new row: the fields that readers combine never change under them. Only counters, sums,
//! labels and the dead bit change in place, each in a word of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use covey_shared::embed::duplicate_hash;
use covey_shared::ids::{PostId, PostKey, UnixMillis, UserId, Version};
use covey_shared::model::{Language, Post, RefHint, Topics};
use covey_shared::wire::{CandidateFlags, Counters};

use crate::heat::Heats;
use crate::records::PostState;
use crate::row_tag::RowTag;

/// Number of a row. Local to the replica and to this run of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ordinal(pub(crate) u32);

const WORDS: usize = 31;
/// Words that counters take, two counters in each.
const COUNTERS: std::ops::Range<usize> = 14..24;
const LABELS: usize = 11;
const FLAGS: usize = 12;
const SIMHASH: usize = 24;
/// Words that topics take, two topics in each.
const TOPICS: std::ops::Range<usize> = 25..27;
/// Words that sums take, as [`Heats::words`].
const HEATS: std::ops::Range<usize> = 27..31;
/// Rows of a chunk: 254 KB.
const CHUNK_ROWS: usize = 1024;
const DEAD: u64 = 1 << 63;

/// Bits of the flags byte beyond [`CandidateFlags`].
const IS_REPLY: u8 = 1 << 4;
const IS_REPOST: u8 = 1 << 5;
/// Place of the country in the same word.
const COUNTRY: u32 = 32;

/// What a row holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PostColumns {
    pub(crate) key: PostKey,
    pub(crate) version: Version,
    pub(crate) created_at: UnixMillis,
    /// Zeros when absent; so are the next two.
    pub(crate) reply_to: PostKey,
    pub(crate) repost_of: PostKey,
    pub(crate) quote_of: PostKey,
    pub(crate) conversation: PostId,
    pub(crate) labels: u32,
    pub(crate) video_ms: u32,
    pub(crate) language: Language,
    /// Of the author when it was first written; zeros = not known.
    pub(crate) country: [u8; 2],
    /// [`CandidateFlags`] without the author's.
    pub(crate) flags: u8,
    /// What ingest knew of the parent (of a reply) or source (of a repost).
    pub(crate) hint: RefHint,
    pub(crate) is_reply: bool,
    pub(crate) is_repost: bool,
    pub(crate) heats: Heats,
    pub(crate) counters: Counters,
    /// Of the text; 0 = too short to be compared.
    pub(crate) simhash: u64,
    pub(crate) topics: Topics,
}

impl PostColumns {
    /// The columns of `post`; sums, counters and country are those of its state, and so are labels once they were set.
    pub(crate) fn new(post: &Post, state: &PostState) -> Self {
        let key = |r: &Option<covey_shared::model::PostRef>| r.map_or(PostKey::default(), |r| r.key);
        let photo = post
            .media
            .iter()
            .any(|m| m.kind == covey_shared::model::MediaKind::Photo);
        let content = !post.text.is_empty() || !post.media.is_empty();
        PostColumns {
            key: post.key,
            version: post.version,
            created_at: post.created_at,
            reply_to: key(&post.reply_to),
            repost_of: key(&post.repost_of),
            quote_of: key(&post.quote_of),
            conversation: post.conversation.unwrap_or_default(),
            labels: state.labels.map_or(post.labels, |(_, labels)| labels),
            video_ms: post.video_ms().unwrap_or(0),
            language: post.language,
            country: state.country,
            flags: [
                (content, CandidateFlags::HAS_CONTENT),
                (photo, CandidateFlags::HAS_PHOTO),
                (post.subscribers_only, CandidateFlags::SUBSCRIBERS_ONLY),
            ]
            .iter()
            .fold(0, |flags, (set, bit)| flags | if *set { *bit } else { 0 }),
            hint: post.reply_to.or(post.repost_of).map_or(RefHint::default(), |r| r.hint),
            is_reply: post.reply_to.is_some(),
            is_repost: post.repost_of.is_some(),
            heats: state.heats,
            counters: state.counters,
            simhash: duplicate_hash(&post.text).unwrap_or(0),
            topics: post.topics,
        }
    }

    /// Neither a reply nor a repost.
    pub(crate) fn is_original(&self) -> bool {
        !self.is_reply && !self.is_repost
    }

    /// Counts as a video for in-network reads: an original with one, or a repost of a known original with one.
    pub(crate) fn is_video(&self) -> bool {
        if self.is_reply {
            return false;
        }
        if self.is_repost {
            return self.hint.known && self.hint.in_reply_to.is_none() && self.hint.has_video;
        }
        self.video_ms > 0
    }

    fn words(&self) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        let head = [
            self.key.author.0,
            self.key.post.0,
            self.version.0,
            self.created_at.0,
            self.reply_to.author.0,
            self.reply_to.post.0,
            self.repost_of.author.0,
            self.repost_of.post.0,
            self.quote_of.author.0,
            self.quote_of.post.0,
            self.conversation.0,
            u64::from(self.labels) | u64::from(self.video_ms) << 32,
            self.flag_word(),
            self.hint.in_reply_to.map_or(0, |p| p.0),
        ];
        words[..head.len()].copy_from_slice(&head);
        words[HEATS].copy_from_slice(&self.heats.words());
        for (word, pair) in words[COUNTERS].iter_mut().zip(self.counters.by_kind.chunks_exact(2)) {
            *word = u64::from(pair[0]) | u64::from(pair[1]) << 32;
        }
        words[SIMHASH] = self.simhash;
        for (word, pair) in words[TOPICS].iter_mut().zip(self.topics.0.chunks_exact(2)) {
            *word = u64::from(pair[0]) | u64::from(pair[1]) << 32;
        }
        words
    }

    fn flag_word(&self) -> u64 {
        let flags = self.flags | if self.is_reply { IS_REPLY } else { 0 } | if self.is_repost { IS_REPOST } else { 0 };
        let hint = u64::from(self.hint.known)
            | u64::from(self.hint.in_reply_to.is_some()) << 1
            | u64::from(self.hint.is_repost) << 2
            | u64::from(self.hint.has_video) << 3;
        let country = u64::from(u16::from_be_bytes(self.country));
        u64::from(u16::from_be_bytes(self.language.0)) | u64::from(flags) << 16 | hint << 24 | country << COUNTRY
    }
}

struct Chunk {
    words: Box<[AtomicU64]>,
    /// Rows that are not dead. Only the writer changes it.
    live: AtomicU32,
}

/// One row, as it is now.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    words: &'a [AtomicU64],
}

impl Row<'_> {
    fn word(&self, at: usize) -> u64 {
        self.words[at].load(Ordering::Relaxed)
    }

    fn key_at(&self, at: usize) -> PostKey {
        PostKey {
            author: UserId(self.word(at)),
            post: PostId(self.word(at + 1)),
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.words[FLAGS].load(Ordering::Acquire) & DEAD == 0
    }

    pub(crate) fn key(&self) -> PostKey {
        self.key_at(0)
    }

    /// Neither a reply nor a repost.
    pub(crate) fn is_original(&self) -> bool {
        self.word(FLAGS) >> 16 & u64::from(IS_REPLY | IS_REPOST) == 0
    }

    pub(crate) fn version(&self) -> Version {
        Version(self.word(2))
    }

    pub(crate) fn labels(&self) -> u32 {
        self.word(LABELS) as u32
    }

    /// As of all its columns, but of few words: asked of every row when a replica opens.
    pub(crate) fn tag(&self) -> RowTag {
        let flag_word = self.word(FLAGS);
        let language = Language((flag_word as u16).to_be_bytes());
        let is_reply = (flag_word >> 16) as u8 & IS_REPLY != 0;
        RowTag::new(
            UnixMillis(self.word(3)),
            language,
            self.word(LABELS) >> 32 > 0,
            is_reply,
        )
    }

    pub(crate) fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        for (pair, at) in counters.by_kind.chunks_exact_mut(2).zip(COUNTERS) {
            let word = self.word(at);
            pair.copy_from_slice(&[word as u32, (word >> 32) as u32]);
        }
        counters
    }

    pub(crate) fn load(&self) -> PostColumns {
        let flag_word = self.word(FLAGS);
        let (flags, hint) = ((flag_word >> 16) as u8, flag_word >> 24);
        PostColumns {
            key: self.key(),
            version: Version(self.word(2)),
            created_at: UnixMillis(self.word(3)),
            reply_to: self.key_at(4),
            repost_of: self.key_at(6),
            quote_of: self.key_at(8),
            conversation: PostId(self.word(10)),
            labels: self.labels(),
            video_ms: (self.word(LABELS) >> 32) as u32,
            language: Language((flag_word as u16).to_be_bytes()),
            country: ((flag_word >> COUNTRY) as u16).to_be_bytes(),
            flags: flags & !(IS_REPLY | IS_REPOST),
            hint: RefHint {
                known: hint & 1 != 0,
                in_reply_to: (hint & 2 != 0).then_some(PostId(self.word(13))),
                is_repost: hint & 4 != 0,
                has_video: hint & 8 != 0,
            },
            is_reply: flags & IS_REPLY != 0,
            is_repost: flags & IS_REPOST != 0,
            heats: Heats::of_words(std::array::from_fn(|i| self.word(HEATS.start + i))),
            counters: self.counters(),
            simhash: self.word(SIMHASH),
            topics: self.topics(),
        }
    }

    fn topics(&self) -> Topics {
        let (low, high) = (self.word(TOPICS.start), self.word(TOPICS.start + 1));
        Topics([low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32])
    }
}

/// The chunks as of one moment. Rows of dropped chunks are gone.
pub(crate) struct Table(Arc<Vec<Option<Arc<Chunk>>>>);

impl Table {
    /// A live row.
    pub(crate) fn live(&self, ordinal: Ordinal) -> Option<Row<'_>> {
        self.any(ordinal).filter(Row::is_live)
    }

    fn any(&self, ordinal: Ordinal) -> Option<Row<'_>> {
        let (chunk, row) = (ordinal.0 as usize / CHUNK_ROWS, ordinal.0 as usize % CHUNK_ROWS);
        let chunk = self.0.get(chunk)?.as_deref()?;
        Some(Row {
            words: &chunk.words[row * WORDS..(row + 1) * WORDS],
        })
    }
}

/// All rows. One thread writes.
pub(crate) struct Columns {
    chunks: ArcSwap<Vec<Option<Arc<Chunk>>>>,
    /// Rows ever appended; published after the row's words.
    len: AtomicU32,
    live: AtomicU32,
}

impl Columns {
    pub(crate) fn new() -> Self {
        Columns {
            chunks: ArcSwap::from_pointee(Vec::new()),
            len: AtomicU32::new(0),
            live: AtomicU32::new(0),
        }
    }

    pub(crate) fn table(&self) -> Table {
        Table(self.chunks.load_full())
    }

    /// Live rows.
    pub(crate) fn live(&self) -> u32 {
        self.live.load(Ordering::Acquire)
    }

    /// Bytes of all chunks and of their list.
    pub(crate) fn bytes(&self) -> u64 {
        let chunks = self.chunks.load();
        // Writes of content ask: not a cache line of a chunk is touched.
        let chunk = size_of::<Chunk>() + CHUNK_ROWS * WORDS * size_of::<AtomicU64>();
        let list = chunks.capacity() * size_of::<Option<Arc<Chunk>>>();
        (list + chunks.iter().flatten().count() * chunk) as u64
    }

    pub(crate) fn append(&self, columns: &PostColumns) -> Ordinal {
        let ordinal = self.len.load(Ordering::Relaxed);
        let at = ordinal as usize % CHUNK_ROWS;
        if at == 0 {
            let words = (0..CHUNK_ROWS * WORDS).map(|_| AtomicU64::new(0)).collect();
            let mut chunks = Vec::clone(&self.chunks.load());
            chunks.push(Some(Arc::new(Chunk {
                words,
                live: AtomicU32::new(0),
            })));
            self.chunks.store(Arc::new(chunks));
        }
        let chunks = self.chunks.load();
        let chunk = chunks
            .last()
            .and_then(Option::as_ref)
            .expect("the chunk that is being filled is never dropped");
        for (place, word) in chunk.words[at * WORDS..].iter().zip(columns.words()) {
            place.store(word, Ordering::Relaxed);
        }
        chunk.live.fetch_add(1, Ordering::Relaxed);
        self.live.fetch_add(1, Ordering::Relaxed);
        self.len.store(
            ordinal.checked_add(1).expect("fewer than 2^32 rows between two starts"),
            Ordering::Release,
        );
        Ordinal(ordinal)
    }

    /// Marks a row dead; drops its chunk once it is full of dead rows.
    pub(crate) fn kill(&self, ordinal: Ordinal) {
        let number = ordinal.0 as usize / CHUNK_ROWS;
        let chunks = self.chunks.load_full();
        let Some(Some(chunk)) = chunks.get(number) else { return };
        let row = ordinal.0 as usize % CHUNK_ROWS;
        if chunk.words[row * WORDS + FLAGS].fetch_or(DEAD, Ordering::AcqRel) & DEAD != 0 {
            return;
        }
        self.live.fetch_sub(1, Ordering::Relaxed);
        let last = chunk.live.fetch_sub(1, Ordering::Relaxed) == 1;
        if last && (number + 1) * CHUNK_ROWS <= self.len.load(Ordering::Relaxed) as usize {
            let mut kept = Vec::clone(&chunks);
            kept[number] = None;
            self.chunks.store(Arc::new(kept));
        }
    }

    /// Replaces counters and sums.
    pub(crate) fn set_counts(&self, ordinal: Ordinal, counters: &Counters, heats: Heats) {
        let table = self.table();
        let Some(row) = table.any(ordinal) else { return };
        for (at, pair) in COUNTERS.zip(counters.by_kind.chunks_exact(2)) {
            row.words[at].store(u64::from(pair[0]) | u64::from(pair[1]) << 32, Ordering::Relaxed);
        }
        for (at, word) in HEATS.zip(heats.words()) {
            row.words[at].store(word, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_labels(&self, ordinal: Ordinal, labels: u32) {
        let table = self.table();
        let Some(row) = table.any(ordinal) else { return };
        let video = row.word(LABELS) >> 32 << 32;
        row.words[LABELS].store(video | u64::from(labels), Ordering::Release);
    }
}

#[cfg(test)]
#[path = "columns_test.rs"]
mod tests;
