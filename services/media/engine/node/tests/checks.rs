//! ICE-lite, addresses, and what passes before there are keys.
#![allow(missing_docs, clippy::unwrap_used)]

mod model;

use model::{Bench, Check, Client, MS, SECOND, address};
use salon_node::{Command, Counter, Event, SessionNumber};

const SUCCESS: [u8; 2] = [1, 1];
const ERROR: [u8; 2] = [1, 0x11];
const DTLS: [u8; 4] = [22, 254, 253, 0];

fn one_client() -> (Bench, Client) {
    let mut bench = Bench::new();
    let client = Client::open(&mut bench, 1, 5);
    (bench, client)
}

#[test]
fn a_check_is_answered_to_where_it_came_from() {
    let (mut bench, client) = one_client();
    let sent = bench.receive(client.address, &Check::of(&client).bytes());
    let [(to, response)] = &sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(*to, client.address);
    assert_eq!(response[..2], SUCCESS);
    assert_eq!(response[8..20], *b"transaction!");
    assert_eq!(bench.take_events(), [Event::Selected(client.number)]);
    bench.receive(client.address, &Check::of(&client).bytes());
    assert!(bench.take_events().is_empty(), "selected is told once");
}

#[test]
fn forged_checks_are_not_answered_and_vouch_for_nothing() {
    let (mut bench, client) = one_client();
    let honest = Check::of(&client);
    let with_username = |username: &str| Check {
        username: username.into(),
        ..honest.clone()
    };
    let wrong_password = Check {
        password: "another password altogether".into(),
        ..honest.clone()
    };
    let mut tampered = honest.bytes();
    tampered[30] ^= 1;
    let without_fingerprint = honest.bytes()[..honest.bytes().len() - 8].to_vec();
    let forgeries = [
        wrong_password.bytes(),
        with_username("node1:somebody").bytes(),
        with_username("nobody:them1").bytes(),
        with_username("node1").bytes(),
        tampered,
        without_fingerprint,
    ];
    for forgery in &forgeries {
        assert!(bench.receive(client.address, forgery).is_empty());
    }
    bench.receive(client.address, &DTLS);
    assert!(bench.take_events().is_empty());
    assert_eq!(bench.count(Counter::DropStunForged), 1);
    assert_eq!(bench.count(Counter::DropStunUnknown), 3);
    assert_eq!(bench.count(Counter::DropStunMalformed), 2);
    assert_eq!(bench.count(Counter::DropUnknownAddress), 1);
}

#[test]
fn role_conflicts_and_unknown_attributes_are_refused() {
    let (mut bench, client) = one_client();
    let honest = Check::of(&client);
    let refused = [
        (
            Check {
                controlling: false,
                ..honest.clone()
            },
            [4, 87],
        ),
        (
            Check {
                unknown_attribute: true,
                ..honest
            },
            [4, 20],
        ),
    ];
    for (check, code) in refused {
        let sent = bench.receive(client.address, &check.bytes());
        assert_eq!(sent[0].1[..2], ERROR);
        assert_eq!(sent[0].1[26..28], code);
    }
    assert!(bench.take_events().is_empty());
}

#[test]
fn an_address_moves_only_when_the_client_nominates_it() {
    let (mut bench, client) = one_client();
    let nominates = Check::of(&client);
    let merely_checks = Check {
        nominates: false,
        ..nominates.clone()
    };
    let send = |bench: &mut Bench| {
        bench.wire.sent.clear();
        bench.command(Command::SendDtls(client.number, DTLS.into()));
        bench.wire.sent.first().map(|(to, _)| *to)
    };
    bench.receive(address(1), &merely_checks.bytes());
    assert_eq!(send(&mut bench), None);
    bench.receive(address(1), &nominates.bytes());
    assert_eq!(send(&mut bench), Some(address(1)));
    bench.receive(address(2), &merely_checks.bytes());
    assert_eq!(send(&mut bench), Some(address(1)));
    bench.receive(address(2), &nominates.bytes());
    assert_eq!(send(&mut bench), Some(address(2)));
}

#[test]
fn the_handshake_passes_from_vouched_addresses_alone() {
    let (mut bench, client) = one_client();
    bench.receive(client.address, &DTLS);
    assert_eq!(bench.count(Counter::DropUnknownAddress), 1);
    bench.receive(client.address, &Check::of(&client).bytes());
    bench.receive(client.address, &DTLS);
    bench.receive(address(99), &DTLS);
    let events = bench.take_events();
    let datagram = DTLS.into();
    assert_eq!(
        events,
        [
            Event::Selected(client.number),
            Event::Dtls(client.number, datagram)
        ]
    );
    assert_eq!(bench.count(Counter::DropUnknownAddress), 2);
}

#[test]
fn a_flood_of_handshakes_is_cut() {
    let (mut bench, client) = one_client();
    bench.receive(client.address, &Check::of(&client).bytes());
    for _ in 0..1000 {
        bench.receive(client.address, &DTLS);
    }
    assert!(bench.count(Counter::DropDtlsRate) >= 700);
}

#[test]
fn addresses_of_a_client_are_bounded_and_go_with_it() {
    let (mut bench, client) = one_client();
    for last in 1..=50 {
        bench.receive(address(last), &Check::of(&client).bytes());
    }
    bench.take_events();
    for last in 1..=50 {
        bench.receive(address(last), &DTLS);
    }
    assert_eq!(bench.take_events().len(), 8);
    bench.command(Command::Close(client.number));
    for last in 1..=50 {
        bench.receive(address(last), &DTLS);
    }
    assert!(bench.take_events().is_empty());
    assert!(bench.core.is_idle());
}

#[test]
fn nothing_is_sent_after_ten_seconds_without_a_check() {
    let (mut bench, _) = one_client();
    let client = Client::connect(&mut bench, 2, 5);
    let sent = bench.pass(9 * SECOND);
    assert!(sent.iter().all(|(to, _)| *to == client.address));
    assert!(sent.len() >= 40);
    bench.pass(SECOND);
    assert!(bench.pass(5 * SECOND).is_empty());
    bench.command(Command::SendDtls(client.number, DTLS.into()));
    assert!(bench.wire.sent.is_empty());
    bench.receive(client.address, &Check::of(&client).bytes());
    assert!(!bench.pass(SECOND).is_empty());
}

#[test]
fn a_client_hears_something_each_200_ms() {
    let (mut bench, _) = one_client();
    let mut client = Client::connect(&mut bench, 2, 5);
    for _ in 0..20 {
        let sent = bench.pass(205 * MS);
        assert!(!sent.is_empty());
        for (_, datagram) in sent {
            let report = client.open_rtcp(&datagram);
            assert_eq!(report[1], 201, "a receiver report, empty or not");
        }
    }
}

#[test]
fn after_a_suspension_nothing_is_sent_to_who_is_not_heard_again() {
    let mut bench = Bench::new();
    let mut gone = Client::connect(&mut bench, 1, 5);
    let here = Client::connect(&mut bench, 2, 5);
    bench.take_events();
    bench.now += 3 * SECOND;
    bench.core.handle_suspended();
    for late in [gone.speech(), Check::of(&gone).bytes(), DTLS.to_vec()] {
        bench
            .core
            .handle_late_datagram(bench.now, gone.address, &late);
    }
    bench.core.flush_events();
    assert_eq!(bench.count(Counter::DropLate), 2);
    assert_eq!(
        bench.take_events(),
        [Event::Dtls(gone.number, DTLS.into())],
        "a goodbye that came late is one all the same"
    );
    bench.command(Command::SendDtls(gone.number, DTLS.into()));
    assert!(bench.wire.sent.is_empty());
    assert!(bench.pass(SECOND).is_empty(), "neither is heard");
    bench.receive(here.address, &Check::of(&here).bytes());
    let sent = bench.pass(4 * SECOND);
    assert!(sent.len() >= 20);
    assert!(sent.iter().all(|(to, _)| *to == here.address));
    assert_eq!(
        bench.take_events(),
        [Event::Silent(gone.number)],
        "it was last heard before the suspension"
    );
}

#[test]
fn silence_is_told_once() {
    let (mut bench, client) = one_client();
    bench.receive(client.address, &Check::of(&client).bytes());
    bench.take_events();
    bench.pass(7990 * MS);
    assert!(bench.take_events().is_empty());
    bench.pass(20 * SECOND);
    assert_eq!(bench.take_events(), [Event::Silent(client.number)]);
}

#[test]
fn rubbish_is_counted_and_nothing_else() {
    let (mut bench, client) = one_client();
    bench.receive(client.address, &Check::of(&client).bytes());
    bench.take_events();
    for length in 1..64 {
        for first in 0..=255u8 {
            let mut datagram = vec![0x5a; length];
            datagram[0] = first;
            let dtls = (20..=63).contains(&first);
            let from = if dtls { address(200) } else { client.address };
            assert!(bench.receive(from, &datagram).is_empty());
        }
    }
    assert!(bench.take_events().is_empty());
    let dropped: u64 = bench
        .metrics
        .all()
        .filter(|(name, _)| name.starts_with("drop_"))
        .map(|(_, count)| count)
        .sum();
    assert_eq!(dropped, 63 * 256);
}

#[test]
fn commands_for_nobody_are_ignored() {
    let (mut bench, client) = one_client();
    let nobody = SessionNumber(99);
    bench.command(Command::Close(nobody));
    bench.command(Command::SendDtls(nobody, DTLS.into()));
    bench.command(Command::SetLayout(nobody, vec![]));
    bench.command(Command::Open(Box::new(model::spec(1, 7))));
    bench.command(Command::Close(client.number));
    assert!(
        bench.core.is_idle(),
        "the second session of that number was not opened"
    );
}
