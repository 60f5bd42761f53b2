//! room
use crate::*;
/// x
#[derive(Debug)]
pub struct Room;
/// x
#[derive(Debug)]
pub struct RoomEvent;
/// What a slot shows from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotChange {
    /// What the slot is for.
    pub kind: SlotKind,
    /// Among the slots of its kind.
    pub index: u8,
    /// What it shows; nothing when `None`.
    pub source: Option<SourceId>,
    /// The timestamp of the source's first frame in this slot.
    pub first_timestamp: u32,
}
