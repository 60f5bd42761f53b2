//! slots
mod sequence;
mod timeline;
mod vp8;
/// x
#[derive(Debug)]
pub struct Forward;
