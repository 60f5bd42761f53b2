//! Speech slots, the programme slot, and who is told to speak.
#![allow(missing_docs, clippy::unwrap_used)]

mod model;

use std::collections::BTreeSet;

use model::{MS, SECOND, Stream, World, microphone, screen_audio};
use salon_forward::{Member, SlotKind, SourceId};

const LOUD: u8 = 20;
const SILENT: u8 = 127;

fn room(members: u32) -> (World, Vec<Stream>) {
    let mut world = World::new(5);
    for member in 0..members {
        world.join(member, &[], 0);
    }
    let streams = (0..members).map(|member| Stream::new("mic", None, member + 100));
    (world, streams.collect())
}

/// Everybody sends a packet of 20 ms at their level, some times.
fn speak(
    world: &mut World,
    streams: &mut [Stream],
    packets: u32,
    level: impl Fn(u32) -> Option<u8>,
) {
    for _ in 0..packets {
        for (member, stream) in (0..).zip(streams.iter_mut()) {
            stream.timestamp = stream.timestamp.plus(960);
            let packet = stream.packet(false, level(member), &[1, 2, 3]);
            world.send(member, &packet);
        }
        world.pass(20 * MS);
    }
}

/// Whom a member hears.
fn heard(world: &World, member: u32) -> BTreeSet<SourceId> {
    let got = world.got.iter().filter(|got| got.to == Member(member));
    got.map(|got| got.source).collect()
}

#[test]
fn nobody_hears_themselves_and_all_hear_three() {
    let (mut world, mut streams) = room(8);
    speak(&mut world, &mut streams, 100, |member| {
        Some(if member < 4 { LOUD } else { SILENT })
    });
    world.got.clear();
    speak(&mut world, &mut streams, 20, |member| {
        Some(if member < 4 { LOUD } else { SILENT })
    });
    for member in 0..8 {
        let heard = heard(&world, member);
        assert_eq!(heard.len(), 3, "{member} hears {heard:?}");
        assert!(!heard.contains(&microphone(member)));
        assert!(
            heard.iter().all(|source| source.0 < 40),
            "only who speaks: {heard:?}"
        );
    }
    world.assert_no_number_twice();
}

#[test]
fn an_onset_is_heard_from_its_first_packet_with_the_marker() {
    let (mut world, mut streams) = room(8);
    speak(&mut world, &mut streams, 100, |_| Some(SILENT));
    world.got.clear();
    speak(&mut world, &mut streams[..8], 1, |member| {
        Some(if member == 7 { LOUD } else { SILENT })
    });
    let onset = world.got.iter().filter(|got| got.source == microphone(7));
    let onset: Vec<_> = onset.collect();
    assert_eq!(onset.len(), 7, "by all but the speaker");
    assert!(onset.iter().all(|got| got.marker));
}

#[test]
fn slots_are_unbroken_streams_on_the_line_of_the_clock() {
    let (mut world, mut streams) = room(6);
    for round in 0..20 {
        speak(&mut world, &mut streams, 60, |member| {
            Some(if (member + round) % 6 < 2 {
                LOUD
            } else {
                SILENT
            })
        });
    }
    for (ssrc, slot) in world.slots_of(0) {
        for pair in slot.windows(2) {
            assert_eq!(pair[1].seq, pair[0].seq.plus(1), "slot {ssrc}");
            assert!(pair[1].timestamp.is_after(pair[0].timestamp));
            let elapsed = (pair[1].at - pair[0].at) as i64;
            let ticks = i64::from(pair[1].timestamp.since(pair[0].timestamp));
            assert!((ticks * 1000 / 48 - elapsed).abs() <= 1000, "{pair:?}");
        }
    }
    let told = world
        .changes
        .iter()
        .filter(|(_, member, _)| *member == Member(0));
    assert!(told.clone().count() > 10);
    for (_, _, change) in told {
        let slots = world.slots_of(0);
        let Some(source) = change.source else {
            continue;
        };
        let slot = &slots[&(1100 + u32::from(change.index))];
        let first = slot
            .iter()
            .find(|got| got.timestamp.0 == change.first_timestamp);
        assert_eq!(first.unwrap().source, source);
        assert!(first.unwrap().marker);
    }
}

#[test]
fn clients_without_levels_are_heard() {
    let (mut world, mut streams) = room(3);
    speak(&mut world, &mut streams, 10, |_| None);
    for member in 0..3 {
        assert_eq!(heard(&world, member).len(), 2);
    }
}

#[test]
fn who_left_is_heard_no_more_and_the_map_says_so() {
    let (mut world, mut streams) = room(3);
    speak(&mut world, &mut streams, 10, |_| Some(LOUD));
    world.room.leave(Member(2));
    world.changes.clear();
    world.pass(10 * MS);
    let gone = world
        .changes
        .iter()
        .filter(|(_, _, change)| change.source.is_none());
    assert_eq!(gone.count(), 2, "told to both who are left");
    world.got.clear();
    speak(&mut world, &mut streams, 10, |_| Some(LOUD));
    assert_eq!(heard(&world, 0), BTreeSet::from([microphone(1)]));
}

#[test]
fn speakers_are_told_loudest_first_and_at_most_four_times_a_second() {
    let (mut world, mut streams) = room(4);
    let begin = world.now;
    for round in 0..50 {
        speak(&mut world, &mut streams, 5, |member| {
            Some(if member == round % 4 { LOUD } else { SILENT })
        });
    }
    let seconds = (world.now - begin) / SECOND;
    assert!(world.speakers.len() as u64 <= 4 * seconds + 1);
    let (mut world, mut streams) = room(3);
    for _ in 0..10 {
        speak(&mut world, &mut streams, 1, |_| Some(SILENT));
        speak(&mut world, &mut streams, 15, |member| {
            Some([50, 30, SILENT][member as usize])
        });
    }
    let (_, speaking, dominant) = world.speakers.last().unwrap();
    assert_eq!(speaking, &[microphone(1), microphone(0)]);
    assert_eq!(*dominant, Some(microphone(1)));
}

#[test]
fn a_screens_sound_reaches_all_but_its_owner() {
    let mut world = World::new(5);
    for member in 0..3 {
        world.join(member, &[], 0);
    }
    let mut sounds: Vec<_> = (0..2)
        .map(|member| Stream::new("app", None, member))
        .collect();
    for _ in 0..10 {
        for (member, sound) in (0..).zip(&mut sounds) {
            sound.timestamp = sound.timestamp.plus(960);
            let packet = sound.packet(false, None, &[1]);
            world.send(member, &packet);
        }
        world.pass(20 * MS);
    }
    assert_eq!(heard(&world, 0), BTreeSet::from([screen_audio(1)]));
    assert_eq!(heard(&world, 1), BTreeSet::from([screen_audio(0)]));
    assert_eq!(
        heard(&world, 2),
        BTreeSet::from([screen_audio(0)]),
        "the first one active"
    );
    world.got.clear();
    for _ in 0..150 {
        sounds[1].timestamp = sounds[1].timestamp.plus(960);
        let packet = sounds[1].packet(false, None, &[1]);
        world.send(1, &packet);
        world.pass(20 * MS);
    }
    assert_eq!(
        heard(&world, 2),
        BTreeSet::from([screen_audio(1)]),
        "the first has ended"
    );
    let told = world
        .changes
        .iter()
        .filter(|(_, member, _)| *member == Member(2));
    let told: Vec<_> = told
        .map(|(_, _, change)| (change.kind, change.source))
        .collect();
    let shows = |source| (SlotKind::Programme, source);
    assert_eq!(
        told,
        [Some(screen_audio(0)), None, Some(screen_audio(1))].map(shows)
    );
}
