//! RTCP between members and the node.
#![allow(missing_docs, clippy::unwrap_used)]

mod model;

use model::{Layer, MS, SECOND, Stream, World, camera};
use salon_forward::{DropReason, Member};
use salon_wire::ntp::NtpTime;
use salon_wire::rtcp::{Compound, CompoundWriter, Packet, SenderInfo};
use salon_wire::rtp::SeqNo;

const VIEWER: u32 = 9;
/// The payload type of retransmissions.
const RTX: u8 = 97;

fn filming() -> (World, Layer) {
    let mut world = World::new(7);
    world.join(1, &[], 0);
    world.join(VIEWER, &[], 1);
    world.wish(VIEWER, &[(0, camera(1), 720)]);
    (world, Layer::new(None, 180, 3))
}

fn packets_to(world: &World, member: u32) -> Vec<(u64, Packet<'_>)> {
    let to_member = world.rtcp.iter().filter(|(_, to, _)| *to == Member(member));
    to_member
        .flat_map(|(at, _, bytes)| Compound::new(bytes).map(|packet| (*at, packet.unwrap())))
        .collect()
}

fn sender_report(world: &mut World, from: u32, info: SenderInfo) {
    let mut bytes = [0; 100];
    let mut writer = CompoundWriter::new(&mut bytes);
    writer.sender_report(&info, &[]).unwrap();
    let length = writer.len();
    world
        .room
        .receive_rtcp(world.now, Member(from), &bytes[..length])
        .unwrap();
}

#[test]
fn a_sender_hears_what_was_lost() {
    let (mut world, mut layer) = filming();
    for _ in 0..60 {
        let mut packets = layer.frame(true, 4);
        packets.remove(1);
        world.send_all(1, &packets);
        world.pass(33 * MS);
    }
    let ntp = NtpTime::from_micros(5_000_000);
    let (ssrc, timestamp) = (layer.stream.ssrc, layer.stream.timestamp);
    sender_report(
        &mut world,
        1,
        SenderInfo {
            ssrc,
            ntp,
            rtp: timestamp,
            packets: 0,
            bytes: 0,
        },
    );
    world.pass(SECOND);
    let packets = packets_to(&world, 1);
    let blocks: Vec<_> = packets
        .into_iter()
        .filter_map(|(_, packet)| match packet {
            Packet::ReceiverReport(mut report) => report.blocks.next(),
            _ => None,
        })
        .collect();
    let last = blocks.last().unwrap();
    assert_eq!(last.source, ssrc);
    assert_eq!(last.cumulative_lost, 60);
    assert!(
        blocks
            .iter()
            .any(|block| (60..=68).contains(&block.fraction_lost))
    );
    assert_eq!(last.last_report, ntp.middle());
    assert!(last.delay.0 > 0);
}

#[test]
fn what_is_missing_is_asked_for_and_taken_when_it_comes_again() {
    let (mut world, mut layer) = filming();
    world.send_all(1, &layer.frame(true, 3));
    let mut packets = layer.frame(false, 4);
    let lost = packets.remove(2);
    let lost_seq = layer.stream.seq.plus(2u16.wrapping_neg());
    world.send_all(1, &packets);
    world.pass(12 * MS);
    let asked: Vec<SeqNo> = packets_to(&world, 1)
        .into_iter()
        .filter_map(|(_, packet)| match packet {
            Packet::Nack(nack) => Some(nack.lost().collect::<Vec<_>>()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(asked, [lost_seq]);
    let before = world.got.len();
    let mut repair = Stream::new("cam", None, 99);
    let payload = repair_payload(&lost, lost_seq);
    repair.timestamp = layer.stream.timestamp;
    let packet = as_rtx(repair.packet(false, None, &payload));
    world.send(1, &packet);
    world.send(1, &as_rtx(repair.packet(false, None, &payload)));
    world.send(1, &lost);
    assert_eq!(world.got.len() - before, 1, "it is forwarded once");
    let restored = world.got.last().unwrap();
    assert!(!restored.marker);
    let mut seqs: Vec<_> = world.got.iter().map(|got| got.seq.0).collect();
    seqs.sort_unstable();
    assert!(
        seqs.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "no gap is left: {seqs:?}"
    );
    world.assert_no_number_twice();
}

/// RFC 4588 section 4: the number of the packet, then its payload.
fn repair_payload(lost: &[u8], seq: SeqNo) -> Vec<u8> {
    let payload = salon_wire::rtp::RtpPacket::parse(lost).unwrap().payload;
    [&seq.0.to_be_bytes()[..], payload].concat()
}

fn as_rtx(mut packet: Vec<u8>) -> Vec<u8> {
    packet[1] = packet[1] & 0x80 | RTX;
    packet
}

#[test]
fn a_slots_reports_lie_on_one_line_through_switches() {
    let mut world = World::new(7);
    for member in 1..=3 {
        world.join(member, &[], 0);
    }
    world.join(VIEWER, &[], 1);
    let mut layers: Vec<_> = (1..=3)
        .map(|member| Layer::new(None, 180, member))
        .collect();
    for round in 0..200 {
        if round % 20 == 0 {
            world.wish(VIEWER, &[(0, camera(1 + round / 20 % 3), 720)]);
        }
        for (member, layer) in (1..).zip(&mut layers) {
            layer.send(&mut world, member, 1);
        }
        world.pass(33 * MS);
    }
    let reports: Vec<(u64, SenderInfo)> = packets_to(&world, VIEWER)
        .into_iter()
        .filter_map(|(at, packet)| match packet {
            Packet::SenderReport(report) => Some((at, report.info)),
            _ => None,
        })
        .collect();
    assert!(reports.len() >= 6);
    for pair in reports.windows(2) {
        let [(at, one), (next, other)] = pair else {
            unreachable!()
        };
        assert!(next - at >= SECOND);
        let clock = (other.ntp.to_micros() - one.ntp.to_micros()) as i64;
        let ticks = i64::from(other.rtp.since(one.rtp));
        assert!((ticks * 1_000_000 / 90_000 - clock).abs() < 20, "{pair:?}");
        assert!(other.packets > one.packets && other.bytes > one.bytes);
    }
    let slot = &world.slots_of(VIEWER)[&(1000 * (VIEWER + 1) + 300)];
    let (last, got) = (reports.last().unwrap().1, slot.last().unwrap());
    let late = got.at as i64 - last.ntp.to_micros() as i64;
    let ticks = i64::from(got.timestamp.since(last.rtp));
    assert!(
        (ticks * 1000 / 90 - late).abs() < 5 * MS as i64,
        "pictures are on it too"
    );
}

#[test]
fn sender_reports_tie_a_slot_to_capture_time() {
    let (mut world, mut layer) = filming();
    let begin = world.now;
    // The sender's clock is far from ours; its packets take 80 ms, but for the reports, of which one is fast.
    let wall = |now: u64| NtpTime::from_micros(now + 77 * SECOND - begin);
    for at in 0..80u32 {
        world.send_all(1, &layer.frame(at % 30 == 0, 1));
        let info = SenderInfo {
            ssrc: layer.stream.ssrc,
            ntp: wall(world.now - if at == 3 { 20 * MS } else { 80 * MS }),
            rtp: layer
                .stream
                .timestamp
                .plus(if at == 3 { 60 * 90 } else { 0 }),
            packets: 0,
            bytes: 0,
        };
        if at % 10 == 3 {
            sender_report(&mut world, 1, info);
        }
        world.pass(33_333);
    }
    let slot = world.slots_of(VIEWER).into_values().next().unwrap();
    let (first, last) = (&slot[0], slot.last().unwrap());
    let moved = i64::from(last.timestamp.since(first.timestamp)) * 1000 / 90;
    let passed = (last.at - first.at) as i64;
    // By arrival first, then 60 ms earlier, a millisecond a frame.
    let earlier = passed - moved;
    assert!((50_000..=61_000).contains(&earlier), "{earlier}");
}

#[test]
fn reports_of_all_slots_of_a_large_grid_are_sent() {
    let mut world = World::new(1);
    for member in 1..=25 {
        world.join(member, &[], 0);
    }
    world.join(VIEWER + 90, &[], 25);
    let wishes: Vec<_> = (1..=25)
        .map(|member| (member as u8 - 1, camera(member), 180))
        .collect();
    world.wish(VIEWER + 90, &wishes);
    for member in 1..=25 {
        let mut layer = Layer::new(None, 180, member);
        world.send_all(member, &layer.frame(true, 1));
    }
    world.rtcp.clear();
    world.pass(SECOND);
    let reports = packets_to(&world, VIEWER + 90).into_iter();
    let mut ssrcs: Vec<_> = reports
        .filter_map(|(_, packet)| match packet {
            Packet::SenderReport(report) => Some(report.info.ssrc.0),
            _ => None,
        })
        .collect();
    ssrcs.sort_unstable();
    ssrcs.dedup();
    assert_eq!(ssrcs.len(), 25);
    assert!(world.rtcp.iter().all(|(_, _, bytes)| bytes.len() <= 1200));
}

#[test]
fn rubbish_is_refused_and_changes_nothing() {
    let (mut world, _) = filming();
    let mut forwards = Vec::new();
    let member = Member(1);
    for packet in [&[][..], &[0x80], &[0; 40], &[0x80; 12], &[0xbf; 60]] {
        let received = world
            .room
            .receive_rtp(world.now, member, packet, &mut forwards);
        assert!(received.is_err(), "{packet:?}");
    }
    let rtcp = world
        .room
        .receive_rtcp(world.now, member, &[0x80, 200, 0, 9]);
    assert_eq!(rtcp, Err(DropReason::Malformed));
    let nobody = Stream::new("mic", None, 1).packet(false, None, &[1]);
    let received = world
        .room
        .receive_rtp(world.now, Member(99), &nobody, &mut forwards);
    assert_eq!(received, Err(DropReason::Superseded));

    assert!(forwards.is_empty());
}
