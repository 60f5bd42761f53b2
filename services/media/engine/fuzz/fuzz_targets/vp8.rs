#![no_main]
#![allow(dead_code, reason = "each target uses a part of what is shared")]

#[path = "../../wire/tests/exercise/mod.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::vp8(data));
