//! Thousands of forged and changed packets, the same ones in every run: fuzzing that any toolchain can do.

mod exercise;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// A profile, a packet that is RTP or RTCP by its first bytes, and changes.
fn inputs() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![
        Just([0x80, 96]),
        Just([0x91, 111]),
        Just([0x80, 201]),
        any::<[u8; 2]>()
    ];
    let changes = prop_oneof![
        Just(vec![0; 20]),
        proptest::collection::vec(any::<u8>(), 0..40)
    ];
    (
        any::<u8>(),
        kind,
        proptest::collection::vec(any::<u8>(), 0..120),
        changes,
    )
        .prop_map(|(profile, kind, body, changes)| {
            [&[profile][..], &kind, &body, &changes].concat()
        })
}

#[test]
fn unprotect() {
    let config = Config {
        cases: 3000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&inputs(), |input| {
        exercise::unprotect(&input);
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}
