//! What holds for every input, however broken: shared by the mutation test beside it and by the fuzz targets.

use salon_wire::codec::vp8;
use salon_wire::rtcp::{Compound, CompoundWriter, Nack, Packet};
use salon_wire::rtp::{AudioLevel, RtpHeader, RtpPacket, RtpWriter, SeqUnwrapper, Ssrc, text};
use salon_wire::stun::{
    BindingRequest, ErrorCode, ErrorResponse, IntegrityKey, MAX_RESPONSE_LEN, Message,
    SuccessResponse,
};

/// As it came, and once more with a right fingerprint, which chance would not find.
pub(crate) fn stun(datagram: &[u8]) {
    stun_message(datagram);
    if let Some(before) = datagram.len().checked_sub(8).filter(|&before| before >= 20) {
        let mut mended = datagram[..before].to_vec();
        mended[2..4].copy_from_slice(&((before + 8 - 20) as u16).to_be_bytes());
        let fingerprint = crc32fast::hash(&mended) ^ 0x5354_554e;
        mended.extend([0x80, 0x28, 0, 4]);
        mended.extend(fingerprint.to_be_bytes());
        stun_message(&mended);
    }
}

fn stun_message(datagram: &[u8]) {
    // A fuzzer that watches comparisons forges the integrity of a constant password, byte by byte.
    let key = IntegrityKey::new(&format!("password {}", crc32fast::hash(datagram)));
    if let Ok(message) = Message::parse(datagram) {
        assert!(message.verify(&key).is_err(), "nobody knows the password");
    }
    let Ok(request) = BindingRequest::parse(datagram) else {
        return;
    };
    assert!(request.verify(&key).is_err(), "nobody knows the password");
    if let (Some(local), Some(remote)) = (request.local_ufrag(), request.remote_ufrag()) {
        assert_eq!(
            request.username.map(str::len),
            Some(local.len() + 1 + remote.len())
        );
    }
    let mut out = [0; MAX_RESPONSE_LEN];
    for mapped in ["192.0.2.1:1", "[2001:db8::1]:1"] {
        let mapped = mapped.parse().expect("an address");
        let response = SuccessResponse {
            transaction_id: request.transaction_id,
            mapped,
        };
        let length = response.write(&key, &mut out).expect("room for a response");
        assert_eq!(
            Message::parse(&out[..length]).map(|response| response.verify(&key)),
            Ok(Ok(()))
        );
    }
    let refusal = ErrorResponse {
        transaction_id: request.transaction_id,
        code: ErrorCode::UnknownAttribute,
        unknown: request.unknown,
    };
    let length = refusal
        .write(Some(&key), &mut out)
        .expect("room for a response");
    assert_eq!(
        Message::parse(&out[..length]).map(|response| response.verify(&key)),
        Ok(Ok(()))
    );
}

pub(crate) fn rtp(datagram: &[u8]) {
    if let Ok(header) = RtpHeader::parse(datagram) {
        assert!(header.len() <= datagram.len());
        assert_eq!(header.csrcs(&[]).len() + header.extensions(&[]).count(), 0);
    }
    let Ok(packet) = RtpPacket::parse(datagram) else {
        return;
    };
    let extensions: Vec<_> = packet.extensions().collect();
    for extension in &extensions {
        let _ = (text(extension.data), AudioLevel::parse(extension.data));
        assert!(packet.extensions().find(extension.id).is_some());
    }
    let mut unwrapper = SeqUnwrapper::default();
    assert_eq!(unwrapper.unwrap(packet.header.seq).seq(), packet.header.seq);
    let writer = RtpWriter {
        payload_type: packet.header.payload_type,
        marker: packet.header.marker,
        seq: packet.header.seq,
        timestamp: packet.header.timestamp,
        ssrc: packet.header.ssrc,
        csrc: packet.csrcs().next(),
        extensions: &extensions,
    };
    // The two-byte form may be longer by a byte an extension than what was read, and by words that pad.
    let mut out = vec![0; datagram.len() + extensions.len() + 8];
    let length = writer
        .write(packet.payload, &mut out)
        .expect("all that was read can be written");
    let again = RtpPacket::parse(&out[..length]).expect("what is written can be read");
    assert_eq!(again.payload, packet.payload);
    assert_eq!(again.extensions().collect::<Vec<_>>(), extensions);
    assert_eq!(again.csrcs().next(), packet.csrcs().next());
}

pub(crate) fn rtcp(datagram: &[u8]) {
    for packet in Compound::new(datagram) {
        match packet {
            Ok(Packet::SenderReport(report)) => assert!(report.blocks.count() <= 31),
            Ok(Packet::ReceiverReport(report)) => assert!(report.blocks.count() <= 31),
            Ok(Packet::Sdes(sdes)) => assert!(sdes.cnames().all(|(_, cname)| cname.len() <= 255)),
            Ok(Packet::Bye(bye)) => assert!(bye.sources().count() <= 31),
            Ok(Packet::Fir(fir)) => assert!(fir.entries().count() * 8 <= datagram.len()),
            Ok(Packet::Nack(nack)) => write_nack_again(&nack, datagram.len()),
            _ => {}
        }
    }
}

fn write_nack_again(nack: &Nack<'_>, length: usize) {
    let lost: Vec<_> = nack.lost().collect();
    assert!(lost.len() <= length / 4 * 17);
    let mut out = vec![0; 12 + 4 * lost.len()];
    let mut writer = CompoundWriter::new(&mut out);
    if writer.nack(Ssrc(1), Ssrc(2), &lost).is_err() {
        // More entries than a length field of 16 bits counts.
        assert!(lost.len() > 60_000);
        return;
    }
    let end = writer.len();
    let Some(Ok(Packet::Nack(again))) = Compound::new(&out[..end]).next() else {
        panic!("no NACK was written")
    };
    let sorted = |numbers: &mut dyn Iterator<Item = u16>| {
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    };
    assert_eq!(
        sorted(&mut again.lost().map(|seq| seq.0)),
        sorted(&mut lost.iter().map(|seq| seq.0))
    );
}

pub(crate) fn vp8(payload: &[u8]) {
    let Ok(descriptor) = vp8::Descriptor::parse(payload) else {
        return;
    };
    assert!(descriptor.len() <= vp8::MAX_DESCRIPTOR_LEN.min(payload.len()));
    if descriptor.key_frame_size(payload).is_some() {
        assert!(descriptor.starts_key_frame(payload));
    }
    let mut rewritten = payload.to_vec();
    assert_eq!(descriptor.rewrite(&mut rewritten, 0x1234, 0x56), Ok(()));
    assert_eq!(rewritten[descriptor.len()..], payload[descriptor.len()..]);
    let again = vp8::Descriptor::parse(&rewritten).expect("a rewritten descriptor can be read");
    assert_eq!(again.len(), descriptor.len());
    assert_eq!(again.temporal, descriptor.temporal);
    assert_eq!(again.key_idx, descriptor.key_idx);
    assert_eq!(again.tl0_pic_idx, descriptor.tl0_pic_idx.map(|_| 0x56));
    let expected = descriptor.picture_id.map(|id| match id {
        vp8::PictureId::Short(_) => 0x34,
        vp8::PictureId::Long(_) => 0x1234,
    });
    assert_eq!(again.picture_id.map(vp8::PictureId::value), expected);
}
