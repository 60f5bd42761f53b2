//! Video slots through switches of source and layer.
#![allow(missing_docs, clippy::unwrap_used)]

mod model;

use model::{Got, Layer, MS, World, assert_unbroken, camera};
use proptest::prelude::*;
use salon_forward::{Member, Micros, SlotKind, SourceId};
use salon_wire::rtcp::{CompoundWriter, Pli};
use salon_wire::rtp::{RtpTimestamp, Ssrc};

const FRAME: Micros = 33_333;
const VIEWER: u32 = 9;

/// Members 1 to `count` with a camera of one layer each, and a viewer with two slots.
fn cameras(count: u32) -> (World, Vec<Layer>) {
    let mut world = World::new(7);
    for member in 1..=count {
        world.join(member, &[], 0);
    }
    world.join(VIEWER, &[], 2);
    let layers = (1..=count).map(|member| Layer::new(None, 180, member));
    (world, layers.collect())
}

/// All cameras send some frames, each a few milliseconds after the other.
fn film(world: &mut World, cameras: &mut [Layer], frames: u32) {
    for _ in 0..frames {
        for (member, camera) in (1..).zip(cameras.iter_mut()) {
            camera.send(world, member, 3);
            world.pass(3 * MS);
        }
        world.pass(FRAME - 3 * MS * cameras.len() as Micros);
    }
}

/// A camera with layers of 180, 360 and 720 lines, and a viewer.
fn simulcast() -> (World, [Layer; 3]) {
    let mut world = World::new(3);
    world.join(1, &["l", "m", "h"], 0);
    world.join(VIEWER, &[], 1);
    let layer = |rid, height, seed| Layer::new(Some(rid), height, seed);
    (
        world,
        [
            layer("l", 180, 21),
            layer("m", 360, 22),
            layer("h", 720, 23),
        ],
    )
}

fn film_layers(world: &mut World, layers: &mut [Layer], frames: u32) {
    for _ in 0..frames {
        for layer in layers.iter_mut() {
            layer.send(world, 1, 2);
        }
        world.pass(FRAME);
    }
}

/// The sources of a slot's packets, repetitions left out.
fn shown(slot: &[Got]) -> Vec<SourceId> {
    let mut sources: Vec<_> = slot.iter().map(|got| got.source).collect();
    sources.dedup();
    sources
}

fn only_slot(world: &World) -> Vec<Got> {
    world.slots_of(VIEWER).into_values().next().unwrap()
}

#[test]
fn a_hundred_switches_leave_no_trace_in_the_stream() {
    let (mut world, mut cams) = cameras(3);
    film(&mut world, &mut cams, 2);
    for round in 0..100 {
        world.wish(VIEWER, &[(0, camera(1 + round % 3), 720)]);
        // Key frames are at least 500 ms apart, so a switch takes that long at most.
        film(&mut world, &mut cams, 16 + round % 5);
    }
    let slot = only_slot(&world);
    assert_unbroken(&slot);
    let expected: Vec<_> = (0..100).map(|round| camera(1 + round % 3)).collect();
    assert_eq!(shown(&slot), expected);
    world.assert_no_number_twice();
}

#[test]
fn the_slot_map_tells_the_first_timestamp_of_each_source() {
    let (mut world, mut cams) = cameras(2);
    film(&mut world, &mut cams, 2);
    for round in 0..20 {
        world.wish(VIEWER, &[(0, camera(1 + round % 2), 720)]);
        film(&mut world, &mut cams, 16);
    }
    let slot = only_slot(&world);
    let told = world.changes.iter().filter_map(|(at, member, change)| {
        assert_eq!((*member, change.kind), (Member(VIEWER), SlotKind::Video));
        Some((*at, change.source?, RtpTimestamp(change.first_timestamp)))
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 20);
    for (at, source, first) in told {
        let begin = slot.iter().position(|got| got.timestamp == first).unwrap();
        assert_eq!(slot[begin].source, source);
        assert!(slot[begin].key_frame && at - slot[begin].at <= 5 * MS);
        // Nothing of another source carries this time or a later one until the next switch.
        let after = &slot[begin..];
        let until = after.iter().position(|got| got.source != source);
        assert!(
            slot[..begin]
                .iter()
                .all(|got| first.is_after(got.timestamp))
        );
        assert!(until.is_none_or(|until| until > 3));
    }
}

#[test]
fn the_old_source_stops_at_once_and_the_map_says_so() {
    let (mut world, mut cams) = cameras(2);
    world.wish(VIEWER, &[(0, camera(1), 720)]);
    film(&mut world, &mut cams, 5);
    assert_eq!(shown(&only_slot(&world)), [camera(1)]);
    world.wish(VIEWER, &[]);
    world.changes.clear();
    let before = world.got.len();
    film(&mut world, &mut cams, 5);
    assert_eq!(world.got.len(), before);
    assert_eq!(world.changes.len(), 1);
    assert_eq!(world.changes[0].2.source, None);
}

#[test]
fn pictures_lie_on_the_line_of_the_nodes_clock() {
    let (mut world, mut cams) = cameras(3);
    film(&mut world, &mut cams, 2);
    for round in 0..30 {
        world.wish(VIEWER, &[(0, camera(1 + round % 3), 720)]);
        film(&mut world, &mut cams, 17);
    }
    let slot = only_slot(&world);
    let origin = &slot[0];
    for got in &slot {
        let elapsed = (got.at - origin.at) as i64;
        let ticks = i64::from(got.timestamp.since(origin.timestamp));
        let off = ticks * 1_000_000 / 90_000 - elapsed;
        assert!(off.abs() < 3 * MS as i64, "{off} us off at {elapsed}");
    }
}

#[test]
fn the_tallest_layer_that_fits_is_shown_and_the_old_goes_on_until_its_key_frame() {
    let (mut world, mut layers) = simulcast();
    world.wish(VIEWER, &[(0, camera(1), 180)]);
    film_layers(&mut world, &mut layers, 20);
    let sent_small = layers[0].stream.ssrc;
    assert!(
        world
            .key_frame_requests(1)
            .iter()
            .any(|(_, ssrc)| *ssrc == sent_small)
    );
    world.wish(VIEWER, &[(0, camera(1), 720)]);
    let packets = world.got.len();
    film_layers(&mut world, &mut layers, 20);
    // Each frame was shown, two packets of one layer or the other; in the moment of the switch perhaps of both.
    assert!((40..=42).contains(&(world.got.len() - packets)));
    world.wish(VIEWER, &[(0, camera(1), 400)]);
    film_layers(&mut world, &mut layers, 20);
    let slot = only_slot(&world);
    assert_unbroken(&slot);
    // One source all the time: the map told it once.
    assert_eq!(world.changes.len(), 1);
    let middle = layers[1].stream.ssrc;
    assert!(
        world
            .key_frame_requests(1)
            .iter()
            .any(|(_, ssrc)| *ssrc == middle)
    );
}

#[test]
fn a_layer_that_ends_is_replaced_by_one_that_lives() {
    let (mut world, mut layers) = simulcast();
    world.wish(VIEWER, &[(0, camera(1), 720)]);
    film_layers(&mut world, &mut layers, 40);
    film_layers(&mut world, &mut layers[..2], 60);
    let slot = only_slot(&world);
    assert!(
        world.now - slot.last().unwrap().at <= 2 * FRAME,
        "the middle layer is shown"
    );
    assert_unbroken(&slot);
    film_layers(&mut world, &mut layers, 40);
    assert_unbroken(&only_slot(&world));
    let top = layers[2].stream.ssrc;
    let asked = world.key_frame_requests(1).into_iter();
    assert_eq!(
        asked.filter(|(_, ssrc)| *ssrc == top).count(),
        2,
        "at first, and when it came back"
    );
}

#[test]
fn a_sender_that_begins_anew_is_shown_from_its_key_frame() {
    let (mut world, mut cams) = cameras(1);
    world.wish(VIEWER, &[(0, camera(1), 720)]);
    film(&mut world, &mut cams, 10);
    cams[0] = Layer::new(None, 180, 77);
    film(&mut world, &mut cams, 30);
    let slot = only_slot(&world);
    assert_unbroken(&slot);
    assert!(world.now - slot.last().unwrap().at <= 2 * FRAME);
}

#[test]
fn a_source_that_leaves_and_comes_back_is_shown_again() {
    let (mut world, mut cams) = cameras(1);
    world.wish(VIEWER, &[(0, camera(1), 720)]);
    film(&mut world, &mut cams, 10);
    world.room.leave(Member(1));
    world.pass(100 * MS);
    assert_eq!(world.changes.last().unwrap().2.source, None);
    let spec = model::member_spec(1, &[], 0);
    world.room.join(Member(11), spec).unwrap();
    let mut again = Layer::new(None, 180, 5);
    for at in 0..10 {
        let packets = again.frame(at == 3, 2);
        world.send_all(11, &packets);
        world.pass(FRAME);
    }
    assert_unbroken(&only_slot(&world));
    assert_eq!(world.changes.last().unwrap().2.source, Some(camera(1)));
}

#[test]
fn nobody_sees_themselves() {
    let mut world = World::new(1);
    world.join(1, &[], 2);
    world.wish(1, &[(0, camera(1), 720)]);
    let mut own = Layer::new(None, 180, 1);
    for _ in 0..5 {
        let packets = own.frame(true, 2);
        world.send_all(1, &packets);
        world.pass(FRAME);
    }
    assert!(world.got.is_empty());
}

#[test]
fn requests_of_many_viewers_are_one() {
    let (mut world, mut cams) = cameras(1);
    for viewer in 10..40 {
        world.join(viewer, &[], 1);
    }
    let first = cams[0].frame(false, 2);
    world.send_all(1, &first);
    for viewer in 10..40 {
        world.wish(viewer, &[(0, camera(1), 720)]);
    }
    let begin = world.now;
    for _ in 0..30 {
        let packets = cams[0].frame(false, 2);
        world.send_all(1, &packets);
        world.pass(FRAME);
    }
    let asked = world.key_frame_requests(1);
    let at: Vec<_> = asked.iter().map(|(at, _)| (at - begin) / MS).collect();
    assert_eq!(at.len(), 4, "{at:?}");
    assert!(at.windows(2).all(|pair| pair[1] - pair[0] >= 300), "{at:?}");
}

#[test]
fn a_receivers_request_reaches_the_layer_it_is_shown() {
    let (mut world, mut cams) = cameras(2);
    world.wish(VIEWER, &[(0, camera(1), 720), (1, camera(2), 720)]);
    film(&mut world, &mut cams, 40);
    let before = world.key_frame_requests(2).len();
    let mut bytes = [0; 100];
    let mut writer = CompoundWriter::new(&mut bytes);
    let media = Ssrc(1000 * (VIEWER + 1) + 301);
    let sender = Ssrc(1);
    writer.pli(Pli { sender, media }).unwrap();
    let length = writer.len();
    world
        .room
        .receive_rtcp(world.now, Member(VIEWER), &bytes[..length])
        .unwrap();
    film(&mut world, &mut cams, 3);
    assert_eq!(world.key_frame_requests(2).len(), before + 1);
    // Somebody else's slot, and nobody's, change nothing.
    world
        .room
        .receive_rtcp(world.now, Member(1), &bytes[..length])
        .unwrap();
    film(&mut world, &mut cams, 40);
    assert_eq!(world.key_frame_requests(2).len(), before + 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the network does to the packets, no number is used twice, gaps and order at the sender are gaps and
    /// order in the slot, and a source's pictures keep their distances.
    #[test]
    fn slots_stay_sound_under_loss_reordering_and_duplication(
        events in prop::collection::vec((0u8..3, 0usize..4, any::<bool>(), 0u8..100), 1..300)
    ) {
        let (mut world, mut cams) = cameras(3);
        world.wish(VIEWER, &[(0, camera(1), 720)]);
        let mut held: Vec<(u32, Vec<u8>)> = Vec::new();
        for (cam, size, key, fate) in events {
            let member = u32::from(cam) + 1;
            for packet in cams[usize::from(cam)].frame(key, 1 + size) {
                match fate {
                    0..10 => {}
                    10..20 => held.push((member, packet)),
                    20..30 => {
                        world.send(member, &packet);
                        world.send(member, &packet);
                    }
                    _ => world.send(member, &packet),
                }
            }
            if fate >= 90 {
                for (member, packet) in held.drain(..) {
                    world.send(member, &packet);
                }
            }
            if fate % 7 == 0 {
                world.wish(VIEWER, &[(0, camera(1 + u32::from(fate) % 3), 720)]);
            }
            world.pass(10 * MS);
        }
        world.assert_no_number_twice();
        for slot in world.slots_of(VIEWER).values() {
            for got in slot {
                let frame = slot.iter().filter(|other| other.picture == got.picture);
                prop_assert!(frame.clone().all(|other| other.timestamp == got.timestamp));
                prop_assert!(frame.clone().all(|other| other.source == got.source));
            }
        }
    }
}
