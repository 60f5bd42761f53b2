//! Payload formats of codecs: what stands before the coded bytes, and what of it can be rewritten.

pub mod vp8;
