//! Whole rooms: protected packets in, protected packets out.
#![allow(missing_docs, clippy::unwrap_used)]

mod model;

use model::{Bench, Client, MS, microphone};
use salon_node::{Command, Counter, Event};
use salon_wire::rtp::RtpPacket;

#[test]
fn two_people_hear_each_other_and_nobody_themselves() {
    let mut bench = Bench::new();
    let mut ada = Client::connect(&mut bench, 1, 5);
    let mut bo = Client::connect(&mut bench, 2, 5);
    let _elsewhere = Client::connect(&mut bench, 3, 6);
    for _ in 0..50 {
        for (number, packet) in [(1, ada.speech()), (2, bo.speech())] {
            let (speaker, listener) = if number == 1 {
                (&ada, &bo)
            } else {
                (&bo, &ada)
            };
            let sent = bench.receive(speaker.address, &packet);
            let [(to, datagram)] = &sent[..] else {
                panic!("{} datagrams", sent.len())
            };
            assert_eq!(*to, listener.address);
            let listener = if number == 1 { &mut bo } else { &mut ada };
            let opened = listener.open_rtp(datagram);
            let heard = RtpPacket::parse(&opened).unwrap();
            assert_eq!(heard.payload, b"speech");
            assert_eq!(heard.csrcs().next(), Some(microphone(number).0));
        }
        bench.pass(20 * MS);
    }
    let told = bench.take_events();
    let slots = told
        .iter()
        .filter(|event| matches!(event, Event::Slots(..)));
    assert_eq!(slots.count(), 2);
    assert_eq!(bench.count(Counter::Forwarded), 100);
}

#[test]
fn who_has_no_keys_is_sent_nothing() {
    let mut bench = Bench::new();
    let mut ada = Client::connect(&mut bench, 1, 5);
    let bo = Client::open(&mut bench, 2, 5);
    bench.receive(bo.address, &model::Check::of(&bo).bytes());
    let packet = ada.speech();
    assert!(bench.receive(ada.address, &packet).is_empty());
    bo.set_keys(&mut bench);
    let packet = ada.speech();
    assert_eq!(bench.receive(ada.address, &packet).len(), 1);
}

#[test]
fn keys_are_set_once() {
    let mut bench = Bench::new();
    let mut ada = Client::connect(&mut bench, 1, 5);
    let mut bo = Client::connect(&mut bench, 2, 5);
    for _ in 0..3 {
        let packet = ada.speech();
        let sent = bench.receive(ada.address, &packet);
        bo.open_rtp(&sent[0].1);
        // Were they set again, numbers would be used twice and the client would take them for replays.
        bo.set_keys(&mut bench);
    }
}

#[test]
fn what_is_not_authentic_goes_nowhere() {
    let mut bench = Bench::new();
    let mut ada = Client::connect(&mut bench, 1, 5);
    let bo = Client::connect(&mut bench, 2, 5);
    let packet = ada.speech();
    let mut tampered = packet.clone();
    tampered[20] ^= 1;
    assert!(bench.receive(ada.address, &tampered).is_empty());
    assert!(
        bench.receive(bo.address, &packet).is_empty(),
        "of somebody else's keys"
    );
    assert!(bench.receive(model::address(77), &packet).is_empty());
    assert_eq!(bench.receive(ada.address, &packet).len(), 1);
    assert!(bench.receive(ada.address, &packet).is_empty(), "replayed");
    assert_eq!(bench.count(Counter::DropUnauthentic), 2);
    assert_eq!(bench.count(Counter::DropUnknownAddress), 1);
    assert_eq!(bench.count(Counter::DropReplayed), 1);
}

#[test]
fn authentic_rubbish_is_counted() {
    let mut bench = Bench::new();
    let mut ada = Client::connect(&mut bench, 1, 5);
    let rubbish = ada.protect_rtcp(&[0x80, 200, 0, 9, 0, 0, 0, 1]);
    assert!(bench.receive(ada.address, &rubbish).is_empty());
    assert_eq!(bench.count(Counter::DropMalformed), 1);
}

#[test]
fn who_leaves_is_not_heard_and_not_sent_to() {
    let mut bench = Bench::new();
    let mut ada = Client::connect(&mut bench, 1, 5);
    let bo = Client::connect(&mut bench, 2, 5);
    bench.command(Command::Close(bo.number));
    let packet = ada.speech();
    assert!(bench.receive(ada.address, &packet).is_empty());
    let sent = bench.pass(1000 * MS);
    assert!(sent.iter().all(|(to, _)| *to == ada.address));
}
