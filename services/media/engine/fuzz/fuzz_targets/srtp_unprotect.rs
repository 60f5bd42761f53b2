#![no_main]

#[path = "../../srtp/tests/exercise/mod.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|data: &[u8]| exercise::unprotect(data));
