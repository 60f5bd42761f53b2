//! What holds for every packet, however forged: shared by the mutation test beside it and by the fuzz target.

use salon_srtp::{Error, InboundContext, MAX_OVERHEAD, OutboundContext, Profile};

const PROFILES: [Profile; 3] = [
    Profile::Aes128CmSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

/// The first byte chooses the profile. The others are a packet to protect, and the packet that arrives instead of it:
/// it is accepted if nobody changed it, and then it is what was sent.
pub(crate) fn unprotect(input: &[u8]) {
    let Some((&choice, rest)) = input.split_first() else {
        return;
    };
    let profile = PROFILES[choice as usize % PROFILES.len()];
    let seed = checksum(input);
    forged(profile, seed, rest);
    let (sent, changes) = rest.split_at(rest.len() * 3 / 4);
    tampered(profile, seed, sent, changes);
}

/// FNV-1a. Keys hang on the whole input: a fuzzer that watches comparisons forges the tag of a constant key, byte by
/// byte.
fn checksum(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn contexts(profile: Profile, seed: u64) -> (OutboundContext, InboundContext) {
    let bytes = seed.to_be_bytes().repeat(4);
    let (key, salt) = (&bytes[..profile.key_len()], &bytes[..profile.salt_len()]);
    let outbound = OutboundContext::new(profile, key, salt).expect("lengths of the profile");
    let inbound = InboundContext::new(profile, key, salt).expect("lengths of the profile");
    (outbound, inbound)
}

fn forged(profile: Profile, seed: u64, packet: &[u8]) {
    let (_, mut inbound) = contexts(profile, seed);
    assert!(
        inbound.unprotect_rtp(&mut packet.to_vec()).is_err(),
        "nobody knows the key"
    );
    assert!(
        inbound.unprotect_rtcp(&mut packet.to_vec()).is_err(),
        "nobody knows the key"
    );
}

fn tampered(profile: Profile, seed: u64, sent: &[u8], changes: &[u8]) {
    let (mut outbound, mut inbound) = contexts(profile, seed);
    let mut buffer = [sent, &[0; MAX_OVERHEAD]].concat();
    if let Ok(length) = outbound.protect_rtp(&mut buffer, sent.len()) {
        assert_eq!(
            outbound.protect_rtp(&mut [sent, &[0; MAX_OVERHEAD]].concat(), sent.len()),
            Err(Error::SequenceReused)
        );
        let arrived = change(&buffer[..length], changes);
        let mut clear = arrived.clone();
        let opened = inbound.unprotect_rtp(&mut clear);
        check(
            sent,
            &buffer[..length],
            &arrived,
            opened.map(|length| &clear[..length]),
        );
    }
    let mut buffer = [sent, &[0; MAX_OVERHEAD]].concat();
    if let Ok(length) = outbound.protect_rtcp(&mut buffer, sent.len()) {
        let arrived = change(&buffer[..length], changes);
        let mut clear = arrived.clone();
        let opened = inbound.unprotect_rtcp(&mut clear);
        check(
            sent,
            &buffer[..length],
            &arrived,
            opened.map(|length| &clear[..length]),
        );
    }
}

/// Each pair of bytes is a place and what to combine its byte with.
fn change(protected: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut arrived = protected.to_vec();
    for pair in changes.chunks_exact(2) {
        let at = pair[0] as usize % arrived.len();
        arrived[at] ^= pair[1];
    }
    arrived
}

fn check(sent: &[u8], protected: &[u8], arrived: &[u8], opened: Result<&[u8], Error>) {
    if arrived == protected {
        assert_eq!(opened, Ok(sent));
    } else {
        assert!(opened.is_err(), "a changed packet was accepted");
    }
}
