//! The envelope of calls: a length-delimited frame with a fixed head and the encoded request or reply behind it.
//!
//! ```text
//! length u32 | kind u8 | call id u64 | kind's own                     integers little-endian
//!   1 request     deadline u32 (milliseconds left), payload
//!   2 cancel
//!   3 reply       payload
//!   4 busy                                 the connection has too many calls in flight
//!   5 too large   bytes u64                the reply exceeds the frame limit
//! ```

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use covey_env::Clock;
use tarpc::{ClientMessage, Request, RequestName, Response, context, trace};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

/// Longest time a call may take; a longer deadline is cut. Keeps timers inside what they can represent.
pub(crate) const MAX_DEADLINE: Duration = Duration::from_secs(3600);
/// tarpc's own deadlines run this much longer than ours, so that ours decide: they work in simulated time, and their expiry
/// on the caller's side sends a cancellation.
const GRACE: Duration = Duration::from_secs(5);
/// Length, kind and id, and the longest of what else stands before a payload.
pub(crate) const HEAD: usize = 4 + 1 + 8 + 4;
/// Bytes that are collected before they are handed to the socket.
pub(crate) const WRITE_BUFFER: usize = 64 << 10;

/// An encoded request and the time it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) deadline_ms: u32,
    pub(crate) bytes: Bytes,
}

impl RequestName for Payload {
    fn name(&self) -> &str {
        "call"
    }
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Reply(Bytes),
    Busy,
    TooLarge { bytes: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Frame {
    Request { id: u64, payload: Payload },
    Cancel { id: u64 },
    Answer { id: u64, answer: Answer },
}

/// Splits and joins frames; the same on both sides.
struct FrameCodec {
    lengths: LengthDelimitedCodec,
    max_frame: usize,
}

pub(crate) fn lengths(max_frame: usize) -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .little_endian()
        .max_frame_length(max_frame)
        .new_codec()
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// The peer closes a connection only when it is gone, so what is in flight ends with it: an error, not an end.
fn peer_is_gone() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer closed the connection")
}

impl FrameCodec {
    fn new(max_frame: usize) -> FrameCodec {
        FrameCodec {
            lengths: lengths(max_frame),
            max_frame,
        }
    }

    fn decode(&mut self, source: &mut BytesMut) -> io::Result<Option<Frame>> {
        self.lengths
            .decode(source)?
            .map(|frame| parse(frame.freeze()))
            .transpose()
    }

    fn encode(&self, frame: Frame, out: &mut BytesMut) -> io::Result<()> {
        let start = out.len();
        out.reserve(HEAD);
        out.put_u32_le(0);
        match frame {
            Frame::Request { id, payload } => {
                head(out, 1, id);
                out.put_u32_le(payload.deadline_ms);
                out.extend_from_slice(&payload.bytes);
            }
            Frame::Cancel { id } => head(out, 2, id),
            Frame::Answer { id, answer } => match answer {
                Answer::Reply(bytes) => {
                    head(out, 3, id);
                    out.extend_from_slice(&bytes);
                }
                Answer::Busy => head(out, 4, id),
                Answer::TooLarge { bytes } => {
                    head(out, 5, id);
                    out.put_u64_le(bytes);
                }
            },
        }
        let length = out.len() - start - 4;
        if length > self.max_frame {
            out.truncate(start);
            return Err(invalid("the message exceeds the frame limit"));
        }
        let length = u32::try_from(length).expect("the frame limit is below 4 GiB");
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }
}

fn head(out: &mut BytesMut, kind: u8, id: u64) {
    out.put_u8(kind);
    out.put_u64_le(id);
}

fn parse(mut frame: Bytes) -> io::Result<Frame> {
    if frame.len() < 9 {
        return Err(invalid("the frame is shorter than its head"));
    }
    let (kind, id) = (frame.get_u8(), frame.get_u64_le());
    Ok(match kind {
        1 if frame.len() >= 4 => {
            let deadline_ms = frame.get_u32_le();
            let payload = Payload {
                deadline_ms,
                bytes: frame,
            };
            Frame::Request { id, payload }
        }
        2 if frame.is_empty() => Frame::Cancel { id },
        3 => {
            let answer = Answer::Reply(frame);
            Frame::Answer { id, answer }
        }
        4 if frame.is_empty() => {
            let answer = Answer::Busy;
            Frame::Answer { id, answer }
        }
        5 if frame.len() == 8 => {
            let bytes = frame.get_u64_le();
            let answer = Answer::TooLarge { bytes };
            Frame::Answer { id, answer }
        }
        _ => return Err(invalid("the frame is of an unknown kind or has a wrong length")),
    })
}

/// tarpc's context for a call with `left` to live. Its trace context stays empty: ours travels in the request's header.
pub(crate) fn call_context(clock: &dyn Clock, left: Duration) -> context::Context {
    let mut context = context::current();
    context.deadline = clock.rpc_deadline(left.min(MAX_DEADLINE) + GRACE);
    context.trace_context = trace::Context::default();
    context
}

/// The caller's side.
pub(crate) struct ClientCodec(FrameCodec);

impl ClientCodec {
    pub(crate) fn new(max_frame: usize) -> ClientCodec {
        ClientCodec(FrameCodec::new(max_frame))
    }
}

impl Encoder<ClientMessage<Payload>> for ClientCodec {
    type Error = io::Error;

    fn encode(&mut self, message: ClientMessage<Payload>, out: &mut BytesMut) -> io::Result<()> {
        let frame = match message {
            ClientMessage::Request(Request { id, message, .. }) => Frame::Request { id, payload: message },
            ClientMessage::Cancel { request_id, .. } => Frame::Cancel { id: request_id },
            _ => return Err(invalid("a kind of message that this release does not send")),
        };
        self.0.encode(frame, out)
    }
}

impl Decoder for ClientCodec {
    type Item = Response<Answer>;
    type Error = io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> io::Result<Option<Response<Answer>>> {
        match self.0.decode(source)? {
            None => Ok(None),
            Some(Frame::Answer { id, answer }) => Ok(Some(Response {
                request_id: id,
                message: Ok(answer),
            })),
            Some(_) => Err(invalid("a node answered with a request")),
        }
    }

    fn decode_eof(&mut self, source: &mut BytesMut) -> io::Result<Option<Response<Answer>>> {
        match self.decode(source)? {
            Some(response) => Ok(Some(response)),
            None => Err(peer_is_gone()),
        }
    }
}

/// The node's side.
pub(crate) struct ServerCodec {
    frames: FrameCodec,
    clock: Arc<dyn Clock>,
}

impl ServerCodec {
    pub(crate) fn new(max_frame: usize, clock: Arc<dyn Clock>) -> ServerCodec {
        ServerCodec {
            frames: FrameCodec::new(max_frame),
            clock,
        }
    }
}

impl Encoder<Response<Answer>> for ServerCodec {
    type Error = io::Error;

    fn encode(&mut self, response: Response<Answer>, out: &mut BytesMut) -> io::Result<()> {
        let frame = Frame::Answer {
            id: response.request_id,
            // tarpc itself fails a call only when the connection has too many in flight.
            answer: response.message.unwrap_or(Answer::Busy),
        };
        self.frames.encode(frame, out)
    }
}

impl Decoder for ServerCodec {
    type Item = ClientMessage<Payload>;
    type Error = io::Error;

    fn decode(&mut self, source: &mut BytesMut) -> io::Result<Option<ClientMessage<Payload>>> {
        Ok(match self.frames.decode(source)? {
            None => None,
            Some(Frame::Request { id, payload }) => {
                let left = Duration::from_millis(u64::from(payload.deadline_ms));
                Some(ClientMessage::Request(Request {
                    context: call_context(&*self.clock, left),
                    id,
                    message: payload,
                }))
            }
            Some(Frame::Cancel { id }) => Some(ClientMessage::Cancel {
                trace_context: trace::Context::default(),
                request_id: id,
            }),
            Some(Frame::Answer { .. }) => return Err(invalid("a caller sent an answer")),
        })
    }

    fn decode_eof(&mut self, source: &mut BytesMut) -> io::Result<Option<ClientMessage<Payload>>> {
        match self.decode(source)? {
            Some(message) => Ok(Some(message)),
            None => Err(peer_is_gone()),
        }
    }
}

#[cfg(test)]
#[path = "framing_test.rs"]
mod tests;
