//! Rooms, sources, layers and slots: which packet goes to whom, and what is rewritten on the way.
//!
//! Owns every decision about a packet in the clear: whose it is, who receives it, in which slot, under which sequence
//! number, timestamp and picture id, and when to ask a sender for a key frame or a packet again. It owns no address,
//! no key, no socket and no clock: time is an argument, in microseconds of the node's monotonic clock.
//!
//! The way in is [`Room`]: packets and reports in, [`Forward`]s, RTCP and [`RoomEvent`]s out.
#![forbid(unsafe_code)]

mod audio;
mod keyframe;
mod layout;
mod nack;
mod random;
mod room;
mod slot;
mod source;
mod speaker;
mod spec;

pub use layout::Wish;
pub use room::{Room, RoomEvent};
pub use slot::{Forward, SlotChange};
pub use spec::{
    Codec, CodecSpec, DropReason, ExtensionIds, Member, MemberSpec, Micros, SendSpec, SlotKind,
    SlotSpec, SourceId, SourceKind, SpecError,
};
