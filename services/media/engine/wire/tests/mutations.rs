//! Thousands of broken variants of good packets, the same ones in every run: fuzzing that any toolchain can do.

mod common;
mod exercise;

use common::{REQUEST, RESPONSE_V4, RESPONSE_V6, Request, unhex};
use salon_wire::ntp::{NtpTime, ShortInterval};
use salon_wire::rtcp::{CompoundWriter, Pli, ReportBlock, SenderInfo};
use salon_wire::rtp::{Extension, RtpTimestamp, RtpWriter, SeqNo, Ssrc};

const ROUNDS: usize = 20_000;

/// Xorshift: no more is needed, and it never changes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(7) {
        0 => bytes.truncate(at),
        1 => bytes.extend((0..random.below(9)).map(|_| 0xff)),
        2 => {
            let other = &seeds[random.below(seeds.len())];
            bytes.truncate(at);
            bytes.extend(&other[random.below(other.len())..]);
        }
        3 if !bytes.is_empty() => drop(bytes.remove(at)),
        4 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xfe, 0xff][random.below(6)],
        5 if !bytes.is_empty() => bytes[at] = random.next() as u8,
        _ if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        _ => {}
    }
}

fn run(seeds: &[Vec<u8>], exercise: fn(&[u8])) {
    let mut random = Random(0x5a10_4e57);
    for seed in seeds {
        exercise(seed);
    }
    for _ in 0..ROUNDS {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut bytes, seeds, &mut random);
        }
        exercise(&bytes);
    }
}

#[test]
fn stun() {
    let nomination = Request::new()
        .with(0x0006, b"node:client")
        .with(0x802a, &[7; 8])
        .with(0x0025, &[])
        .with(0x7abc, &[1, 2, 3])
        .with_integrity("secret")
        .with_fingerprint();
    let seeds = [
        unhex(REQUEST),
        unhex(RESPONSE_V4),
        unhex(RESPONSE_V6),
        nomination.bytes(),
    ];
    run(&seeds, exercise::stun);
}

#[test]
fn rtp() {
    let write = |csrc, extensions: &[Extension<'_>], padding: &[u8]| {
        let mut out = vec![0; 200];
        let writer = RtpWriter {
            payload_type: 96,
            marker: true,
            seq: SeqNo(7),
            timestamp: RtpTimestamp(8),
            ssrc: Ssrc(9),
            csrc,
            extensions,
        };
        let length = writer
            .write(&[b"payload", padding].concat(), &mut out)
            .expect("room");
        out.truncate(length);
        out[0] |= if padding.is_empty() { 0 } else { 0x20 };
        out
    };
    let short = [
        Extension {
            id: 1,
            data: &[0x85],
        },
        Extension {
            id: 4,
            data: b"mid",
        },
    ];
    let long = [
        Extension { id: 15, data: &[] },
        Extension {
            id: 2,
            data: &[7; 40],
        },
    ];
    let seeds = [
        write(None, &[], &[]),
        write(Some(5), &short, &[0, 0, 0, 4]),
        write(Some(5), &long, &[1]),
    ];
    run(&seeds, exercise::rtp);
}

#[test]
fn rtcp() {
    let block = ReportBlock {
        source: Ssrc(1),
        fraction_lost: 2,
        cumulative_lost: 3,
        highest_seq: 4,
        jitter: 5,
        last_report: 6,
        delay: ShortInterval(7),
    };
    let info = SenderInfo {
        ssrc: Ssrc(1),
        ntp: NtpTime(2),
        rtp: RtpTimestamp(3),
        packets: 4,
        bytes: 5,
    };
    let mut seeds = Vec::new();
    let mut add = |write: &dyn Fn(&mut CompoundWriter<'_>) -> salon_wire::Result<()>| {
        let mut out = vec![0; 500];
        let mut writer = CompoundWriter::new(&mut out);
        write(&mut writer).expect("room");
        let length = writer.len();
        out.truncate(length);
        seeds.push(out);
    };
    add(&|writer| {
        writer
            .sender_report(&info, &[block; 3])
            .and_then(|()| writer.cname(Ssrc(1), "cname"))
    });
    add(&|writer| writer.receiver_report(Ssrc(1), &[block; 2]));
    add(&|writer| writer.nack(Ssrc(1), Ssrc(2), &[1, 2, 5, 300, 301].map(SeqNo)));
    add(&|writer| writer.fir(Ssrc(1), Ssrc(2), 3));
    add(&|writer| {
        writer.pli(Pli {
            sender: Ssrc(1),
            media: Ssrc(2),
        })
    });
    seeds.push(vec![
        0xa2, 203, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 3, b'b', b'y', b'e', 0, 0, 0, 4,
    ]);
    run(&seeds, exercise::rtcp);
}

#[test]
fn vp8() {
    let key_frame = [
        0xb0, 0xf0, 0x92, 0x34, 9, 0xa5, 0x10, 2, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68, 1,
    ];
    let seeds = [
        key_frame.to_vec(),
        vec![0x10, 0],
        vec![0x90, 0x80, 0x11, 1],
        vec![0x90, 0x60, 1, 0x60, 1],
    ];
    run(&seeds, exercise::vp8);
}
