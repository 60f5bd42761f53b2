//! Binding requests and responses: the vectors of RFC 5769, and what RFC 8489 and RFC 8445 demand beyond them.
#![allow(clippy::unwrap_used)]

mod common;

use common::{PASSWORD, REQUEST, RESPONSE_V4, RESPONSE_V6, Request, unhex};
use salon_wire::Error;
use salon_wire::stun::{
    BindingRequest, Class, ErrorCode, ErrorResponse, IceRole, IntegrityKey, MAX_RESPONSE_LEN,
    Message, SuccessResponse, TransactionId, UnknownAttributes,
};

const TRANSACTION: TransactionId = TransactionId([
    0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
]);

fn key() -> IntegrityKey {
    IntegrityKey::new(PASSWORD)
}

/// The attributes of a message as (type, value).
fn attributes(message: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut rest = &message[20..];
    let mut attributes = Vec::new();
    while let [t0, t1, l0, l1, tail @ ..] = rest {
        let length = u16::from_be_bytes([*l0, *l1]) as usize;
        attributes.push((u16::from_be_bytes([*t0, *t1]), tail[..length].to_vec()));
        rest = &tail[length.next_multiple_of(4)..];
    }
    attributes
}

#[test]
fn rfc_5769_request() {
    let datagram = unhex(REQUEST);
    let request = BindingRequest::parse(&datagram).unwrap();
    assert_eq!(request.transaction_id, TRANSACTION);
    assert_eq!(request.username, Some("evtj:h6vY"));
    assert_eq!(request.local_ufrag(), Some("evtj"));
    assert_eq!(request.remote_ufrag(), Some("h6vY"));
    assert_eq!(request.priority, Some(0x6e00_01ff));
    assert_eq!(
        request.role,
        Some(IceRole::Controlled(0x932f_f9b1_5126_3b36))
    );
    assert!(!request.use_candidate);
    assert!(request.unknown.is_empty());
    assert_eq!(request.verify(&key()), Ok(()));
    assert_eq!(
        request.verify(&IntegrityKey::new("another")),
        Err(Error::BadIntegrity)
    );
}

#[test]
fn rfc_5769_responses() {
    for (vector, mapped) in [
        (RESPONSE_V4, "192.0.2.1:32853"),
        (RESPONSE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let vector = unhex(vector);
        let message = Message::parse(&vector).unwrap();
        assert_eq!((message.class, message.method), (Class::Success, 1));
        assert_eq!(message.verify(&key()), Ok(()));

        let mut out = [0; MAX_RESPONSE_LEN];
        let response = SuccessResponse {
            transaction_id: TRANSACTION,
            mapped: mapped.parse().unwrap(),
        };
        let length = response.write(&key(), &mut out).unwrap();
        let written = Message::parse(&out[..length]).unwrap();
        assert_eq!(
            (written.class, written.method, written.transaction_id),
            (Class::Success, 1, TRANSACTION)
        );
        assert_eq!(written.verify(&key()), Ok(()));
        // The vector has a SOFTWARE attribute first, which we do not tell.
        assert_eq!(attributes(&out[..length])[0], attributes(&vector)[1]);
    }
}

#[test]
fn an_ipv4_address_inside_ipv6_is_told_as_ipv4() {
    let mut out = [0; MAX_RESPONSE_LEN];
    let mapped = "[::ffff:192.0.2.1]:32853".parse().unwrap();
    let response = SuccessResponse {
        transaction_id: TRANSACTION,
        mapped,
    };
    let length = response.write(&key(), &mut out).unwrap();
    assert_eq!(
        attributes(&out[..length])[0],
        attributes(&unhex(RESPONSE_V4))[1]
    );
}

#[test]
fn a_browsers_nomination() {
    let datagram = Request::new()
        .with(0x0006, b"node:client")
        .with(0xc057, &[0, 1, 0, 2]) // GOOG-NETWORK-INFO, comprehension optional
        .with(0x802a, &7u64.to_be_bytes())
        .with(0x0025, &[])
        .with(0x0024, &99u32.to_be_bytes())
        .with_integrity(PASSWORD)
        .with_fingerprint()
        .bytes();
    let request = BindingRequest::parse(&datagram).unwrap();
    assert_eq!(request.verify(&key()), Ok(()));
    assert_eq!(request.role, Some(IceRole::Controlling(7)));
    assert_eq!((request.priority, request.use_candidate), (Some(99), true));
    assert!(request.unknown.is_empty());
}

#[test]
fn unknown_required_attributes_are_listed_for_420() {
    let mut request = Request::new();
    for kind in 0x7000..0x7010 {
        request = request.with(kind, &[1]);
    }
    let datagram = request
        .with(0x9000, &[])
        .with_integrity(PASSWORD)
        .with_fingerprint()
        .bytes();
    let request = BindingRequest::parse(&datagram).unwrap();
    assert_eq!(
        request.unknown.as_slice(),
        (0x7000..0x7008).collect::<Vec<u16>>()
    );

    let mut out = [0; MAX_RESPONSE_LEN];
    let response = ErrorResponse {
        transaction_id: request.transaction_id,
        code: ErrorCode::UnknownAttribute,
        unknown: request.unknown,
    };
    let length = response.write(Some(&key()), &mut out).unwrap();
    let attributes = attributes(&out[..length]);
    assert_eq!(
        attributes[0],
        (0x0009, b"\0\0\x04\x14Unknown Attribute".to_vec())
    );
    let listed: Vec<u8> = (0x7000..0x7008u16).flat_map(u16::to_be_bytes).collect();
    assert_eq!(attributes[1], (0x000a, listed));
}

#[test]
fn error_responses_carry_integrity_only_where_allowed() {
    let refuse = |code, key: Option<&IntegrityKey>| {
        let mut out = [0; MAX_RESPONSE_LEN];
        let response = ErrorResponse {
            transaction_id: TRANSACTION,
            code,
            unknown: UnknownAttributes::default(),
        };
        let length = response.write(key, &mut out).unwrap();
        let message = Message::parse(&out[..length]).unwrap();
        assert_eq!(message.class, Class::Error);
        (
            attributes(&out[..length])[0].1[2..4].to_vec(),
            message.verify(&self::key()),
        )
    };
    assert_eq!(
        refuse(ErrorCode::BadRequest, None),
        (vec![4, 0], Err(Error::Unauthenticated))
    );
    assert_eq!(
        refuse(ErrorCode::Unauthenticated, None),
        (vec![4, 1], Err(Error::Unauthenticated))
    );
    assert_eq!(
        refuse(ErrorCode::RoleConflict, Some(&key())),
        (vec![4, 87], Ok(()))
    );
}

#[test]
fn every_flipped_bit_is_found_out() {
    let datagram = unhex(REQUEST);
    for bit in 0..datagram.len() * 8 {
        let mut flipped = datagram.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(BindingRequest::parse(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let datagram = unhex(REQUEST);
    for length in 0..datagram.len() {
        assert!(
            BindingRequest::parse(&datagram[..length]).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn the_fingerprint_is_required_and_last() {
    let without = Request::new()
        .with(0x0006, b"a:b")
        .with_integrity(PASSWORD)
        .bytes();
    assert_eq!(
        BindingRequest::parse(&without).err(),
        Some(Error::Unauthenticated)
    );
    let followed = Request::new()
        .with_fingerprint()
        .with(0x8022, b"late")
        .bytes();
    assert_eq!(
        BindingRequest::parse(&followed).err(),
        Some(Error::Unauthenticated)
    );
}

#[test]
fn the_integrity_is_required_to_verify() {
    let datagram = Request::new()
        .with(0x0006, b"a:b")
        .with_fingerprint()
        .bytes();
    let request = BindingRequest::parse(&datagram).unwrap();
    assert_eq!(request.verify(&key()), Err(Error::Unauthenticated));
}

#[test]
fn a_short_integrity_is_not_enough() {
    let full = hmac_of(
        &Request::new()
            .with(0x0006, b"a:b")
            .with_integrity(PASSWORD)
            .bytes(),
    );
    let datagram = Request::new()
        .with(0x0006, b"a:b")
        .with(0x0008, &full[..4])
        .with_fingerprint()
        .bytes();
    assert_eq!(
        BindingRequest::parse(&datagram).unwrap().verify(&key()),
        Err(Error::BadIntegrity)
    );
}

fn hmac_of(message: &[u8]) -> Vec<u8> {
    attributes(message)
        .into_iter()
        .find(|(kind, _)| *kind == 0x0008)
        .unwrap()
        .1
}

#[test]
fn what_follows_the_integrity_does_not_count() {
    let datagram = Request::new()
        .with(0x0006, b"a:b")
        .with_integrity(PASSWORD)
        .with(0x0025, &[])
        .with(0x7fff, &[])
        .with_fingerprint()
        .bytes();
    let request = BindingRequest::parse(&datagram).unwrap();
    assert!(!request.use_candidate);
    assert!(request.unknown.is_empty());
    assert_eq!(request.verify(&key()), Ok(()));
}

#[test]
fn of_two_attributes_of_a_kind_the_first_counts() {
    let datagram = Request::new()
        .with(0x0006, b"first:x")
        .with(0x0006, b"second:x")
        .with(0x802a, &1u64.to_be_bytes())
        .with(0x8029, &2u64.to_be_bytes())
        .with_integrity(PASSWORD)
        .with_fingerprint()
        .bytes();
    let request = BindingRequest::parse(&datagram).unwrap();
    assert_eq!(request.local_ufrag(), Some("first"));
    assert_eq!(request.role, Some(IceRole::Controlling(1)));
    assert!(request.unknown.is_empty());
}

#[test]
fn values_of_the_wrong_size_or_kind_are_errors() {
    let parse = |kind, value: &[u8]| {
        let datagram = Request::new()
            .with(kind, value)
            .with_integrity(PASSWORD)
            .with_fingerprint()
            .bytes();
        BindingRequest::parse(&datagram).map(|_| ())
    };
    assert_eq!(parse(0x0024, &[1; 3]), Err(Error::BadLength));
    assert_eq!(parse(0x802a, &[1; 7]), Err(Error::BadLength));
    assert_eq!(parse(0x8029, &[1; 9]), Err(Error::BadLength));
    assert_eq!(parse(0x0006, &[0xff]), Err(Error::BadValue));
    assert_eq!(parse(0x0006, &[b'a'; 509]), Err(Error::BadLength));
    assert_eq!(parse(0x0006, &[b'a'; 508]), Ok(()));
}

#[test]
fn a_username_without_colon_has_no_ufrags() {
    let datagram = Request::new()
        .with(0x0006, b"alone")
        .with_fingerprint()
        .bytes();
    let request = BindingRequest::parse(&datagram).unwrap();
    assert_eq!(
        (request.local_ufrag(), request.remote_ufrag()),
        (None, None)
    );
}

#[test]
fn responses_and_other_methods_are_not_requests() {
    assert_eq!(
        BindingRequest::parse(&unhex(RESPONSE_V4)).err(),
        Some(Error::WrongProtocol)
    );
    let mut allocate = Request::new().bytes();
    allocate[1] = 3;
    allocate.extend([0x80, 0x28, 0, 4]);
    allocate[3] = 8;
    let crc = crc32fast::hash(&allocate[..20]) ^ 0x5354_554e;
    allocate.extend(crc.to_be_bytes());
    assert_eq!(Message::parse(&allocate).unwrap().method, 3);
    assert_eq!(
        BindingRequest::parse(&allocate).err(),
        Some(Error::WrongProtocol)
    );
}

#[test]
fn a_small_buffer_is_an_error() {
    let mut out = [0; MAX_RESPONSE_LEN];
    let response = SuccessResponse {
        transaction_id: TRANSACTION,
        mapped: "192.0.2.1:1".parse().unwrap(),
    };
    let length = response.write(&key(), &mut out).unwrap();
    for short in 0..length {
        assert_eq!(
            response.write(&key(), &mut out[..short]),
            Err(Error::BufferTooSmall)
        );
    }
}
