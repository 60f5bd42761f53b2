//! The VP8 payload descriptor (RFC 7741 section 4.2) and what the frame header says (section 4.3).

use crate::bytes::{Reader, Writer};
use crate::{Error, Result};

/// The picture id, in one of its two widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureId {
    /// 0-127.
    Short(u8),
    /// 0-32767.
    Long(u16),
}

impl PictureId {
    /// The id, whatever its width.
    pub const fn value(self) -> u16 {
        match self {
            Self::Short(id) => id as u16,
            Self::Long(id) => id,
        }
    }

    const fn with_value(self, value: u16) -> Self {
        match self {
            Self::Short(_) => Self::Short(value as u8),
            Self::Long(_) => Self::Long(value),
        }
    }

    /// M, the uppermost bit, tells the wide form.
    fn write(self, writer: &mut Writer<'_>) -> Result<()> {
        match self {
            Self::Short(id) => writer.u8(id & 0x7f),
            Self::Long(id) => writer.u16(id | 0x8000),
        }
    }
}

/// The temporal layer of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temporal {
    /// 0-3: TID.
    pub layer: u8,
    /// Y: the frame depends on the base layer alone, so a receiver may climb here.
    pub sync: bool,
}

/// The descriptor at the front of each payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// N: no other frame refers to this one.
    pub discardable: bool,
    /// S: the payload begins a partition.
    pub partition_start: bool,
    /// PID, 0-7.
    pub partition: u8,
    /// Counts frames.
    pub picture_id: Option<PictureId>,
    /// Counts frames of the base layer.
    pub tl0_pic_idx: Option<u8>,
    /// TID and Y.
    pub temporal: Option<Temporal>,
    /// 0-31: KEYIDX, names the encoder's key frame context.
    pub key_idx: Option<u8>,
    len: u8,
}

/// No descriptor is longer.
pub const MAX_DESCRIPTOR_LEN: usize = 6;

impl Descriptor {
    /// Parse the front of a payload. What follows may be encrypted end to end: it is not looked at.
    pub fn parse(payload: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let first = reader.u8()?;
        let flags = if first & 0x80 != 0 { reader.u8()? } else { 0 };
        let picture_id = if flags & 0x80 != 0 {
            Some(parse_picture_id(&mut reader)?)
        } else {
            None
        };
        let tl0_pic_idx = if flags & 0x40 != 0 {
            Some(reader.u8()?)
        } else {
            None
        };
        let (has_tid, has_key_idx) = (flags & 0x20 != 0, flags & 0x10 != 0);
        let last = if has_tid || has_key_idx {
            reader.u8()?
        } else {
            0
        };
        Ok(Self {
            discardable: first & 0x20 != 0,
            partition_start: first & 0x10 != 0,
            partition: first & 0x07,
            picture_id,
            tl0_pic_idx,
            temporal: has_tid.then_some(Temporal {
                layer: last >> 6,
                sync: last & 0x20 != 0,
            }),
            key_idx: has_key_idx.then_some(last & 0x1f),
            len: (payload.len() - reader.remaining()) as u8,
        })
    }

    /// The length of the descriptor as parsed: where the coded bytes begin.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Never: a descriptor has at least one byte.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Whether the payload begins a frame, and so carries the frame header.
    pub const fn starts_frame(&self) -> bool {
        self.partition_start && self.partition == 0
    }

    /// Whether the payload begins a key frame: the inverse of P, the lowest bit of the frame header. To be asked for
    /// the payload this descriptor was parsed from.
    pub fn starts_key_frame(&self, payload: &[u8]) -> bool {
        self.starts_frame() && payload.get(self.len()).is_some_and(|byte| byte & 1 == 0)
    }

    /// Width and height, which the first payload of a key frame tells (RFC 6386 section 9.1).
    pub fn key_frame_size(&self, payload: &[u8]) -> Option<(u16, u16)> {
        if !self.starts_key_frame(payload) {
            return None;
        }
        let mut reader = Reader::new(payload.get(self.len()..)?);
        reader.take(3).ok()?;
        if reader.array().ok()? != [0x9d, 0x01, 0x2a] {
            return None;
        }
        let [w0, w1, h0, h1] = reader.array().ok()?;
        // The upper two bits are a scaling that decoders leave to the application.
        let size = |low, high| u16::from_le_bytes([low, high]) & 0x3fff;
        Some((size(w0, w1), size(h0, h1)))
    }

    /// Put other ids into the payload that this descriptor was parsed from, in the widths it already has: a short
    /// picture id keeps the lowest seven bits. Fields that the descriptor lacks are left out.
    pub fn rewrite(&self, payload: &mut [u8], picture_id: u16, tl0_pic_idx: u8) -> Result<()> {
        let descriptor = payload.get_mut(..self.len()).ok_or(Error::Truncated)?;
        // The optional fields follow two bytes of flags in this order.
        let mut writer = Writer::new(descriptor.get_mut(2..).unwrap_or_default());
        self.picture_id
            .map_or(Ok(()), |old| old.with_value(picture_id).write(&mut writer))?;
        self.tl0_pic_idx.map_or(Ok(()), |_| writer.u8(tl0_pic_idx))
    }

    /// Write the descriptor and answer its length; the coded bytes go behind it. To widen a picture id to 15 bits,
    /// set [`Descriptor::picture_id`] to [`PictureId::Long`] first.
    pub fn write(&self, out: &mut [u8]) -> Result<usize> {
        let flags = u8::from(self.picture_id.is_some()) << 7
            | u8::from(self.tl0_pic_idx.is_some()) << 6
            | u8::from(self.temporal.is_some()) << 5
            | u8::from(self.key_idx.is_some()) << 4;
        let mut writer = Writer::new(out);
        writer.u8(u8::from(flags != 0) << 7
            | u8::from(self.discardable) << 5
            | u8::from(self.partition_start) << 4
            | self.partition & 0x07)?;
        if flags != 0 {
            writer.u8(flags)?;
        }
        if let Some(picture_id) = self.picture_id {
            picture_id.write(&mut writer)?;
        }
        if let Some(index) = self.tl0_pic_idx {
            writer.u8(index)?;
        }
        if flags & 0x30 != 0 {
            let temporal = self
                .temporal
                .map_or(0, |t| t.layer << 6 | u8::from(t.sync) << 5);
            writer.u8(temporal | self.key_idx.unwrap_or(0) & 0x1f)?;
        }
        Ok(writer.len())
    }
}

fn parse_picture_id(reader: &mut Reader<'_>) -> Result<PictureId> {
    let first = reader.u8()?;
    if first & 0x80 == 0 {
        return Ok(PictureId::Short(first));
    }
    Ok(PictureId::Long(u16::from_be_bytes([
        first & 0x7f,
        reader.u8()?,
    ])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// X, N, S, PID 0; I L T K; picture id 0x1234; TL0PICIDX 9; TID 2, Y, KEYIDX 5; then a key frame of 640x360.
    const FULL: [u8; 16] = [
        0xb0, 0xf0, 0x92, 0x34, 9, 0xa5, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41,
    ];

    #[test]
    fn every_field_is_found() {
        let descriptor = Descriptor::parse(&FULL).unwrap();
        assert!(descriptor.discardable && descriptor.partition_start);
        assert_eq!(descriptor.partition, 0);
        assert_eq!(descriptor.picture_id, Some(PictureId::Long(0x1234)));
        assert_eq!(descriptor.tl0_pic_idx, Some(9));
        assert_eq!(
            descriptor.temporal,
            Some(Temporal {
                layer: 2,
                sync: true
            })
        );
        assert_eq!(descriptor.key_idx, Some(5));
        assert_eq!(descriptor.len(), 6);
    }

    #[test]
    fn the_smallest_descriptor_is_one_byte() {
        let descriptor = Descriptor::parse(&[0x10, 0x00]).unwrap();
        assert_eq!(descriptor.len(), 1);
        assert!(descriptor.starts_key_frame(&[0x10, 0x00]));
        assert_eq!(
            (
                descriptor.picture_id,
                descriptor.tl0_pic_idx,
                descriptor.temporal
            ),
            (None, None, None)
        );
    }

    #[test]
    fn every_truncation_is_an_error() {
        for length in 0..6 {
            assert_eq!(
                Descriptor::parse(&FULL[..length]),
                Err(Error::Truncated),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn a_key_frame_tells_its_size_without_scaling() {
        let descriptor = Descriptor::parse(&FULL).unwrap();
        assert!(descriptor.starts_key_frame(&FULL));
        // The upper byte of the height carries a scaling of 1 in its upper two bits.
        assert_eq!(descriptor.key_frame_size(&FULL), Some((640, 0x168)));
        assert_eq!(descriptor.key_frame_size(&FULL[..15]), None);
        let mut no_start_code = FULL;
        no_start_code[9] = 0;
        assert_eq!(descriptor.key_frame_size(&no_start_code), None);
    }

    #[test]
    fn only_the_first_packet_of_a_key_frame_is_one() {
        let is_key = |first: u8, frame: &[u8]| {
            let payload = [&[first], frame].concat();
            Descriptor::parse(&payload)
                .unwrap()
                .starts_key_frame(&payload)
        };
        assert!(is_key(0x10, &[0x00]));
        assert!(!is_key(0x10, &[0x01]), "an inter frame");
        assert!(!is_key(0x00, &[0x00]), "in the middle of a partition");
        assert!(!is_key(0x11, &[0x00]), "a later partition");
        assert!(!is_key(0x10, &[]), "nothing behind the descriptor");
    }

    #[test]
    fn ids_are_rewritten_in_their_place() {
        let mut payload = FULL;
        let descriptor = Descriptor::parse(&payload).unwrap();
        descriptor.rewrite(&mut payload, 0xffff, 77).unwrap();
        assert_eq!(payload[2..5], [0xff, 0xff, 77]);
        assert_eq!(payload[..2], FULL[..2]);
        assert_eq!(payload[5..], FULL[5..]);
    }

    #[test]
    fn a_short_id_stays_short_in_place() {
        let mut payload = [0x90, 0x80, 0x11, 0x00];
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!(descriptor.picture_id, Some(PictureId::Short(0x11)));
        descriptor.rewrite(&mut payload, 0x1234, 1).unwrap();
        assert_eq!(payload, [0x90, 0x80, 0x34, 0x00]);
    }

    #[test]
    fn without_ids_there_is_nothing_to_rewrite() {
        for payload in [
            &[0x10, 0x00][..],
            &[0x90, 0x00, 0x01],
            &[0x90, 0x20, 0x60, 0x01],
        ] {
            let descriptor = Descriptor::parse(payload).unwrap();
            let mut rewritten = payload.to_vec();
            descriptor.rewrite(&mut rewritten, 5, 6).unwrap();
            assert_eq!(rewritten, payload);
        }
    }

    #[test]
    fn another_payload_than_its_own_is_an_error() {
        let descriptor = Descriptor::parse(&FULL).unwrap();
        assert_eq!(descriptor.rewrite(&mut [0x10], 5, 6), Err(Error::Truncated));
        assert!(!descriptor.starts_key_frame(&[]));
        assert_eq!(descriptor.key_frame_size(&[]), None);
    }

    #[test]
    fn an_id_can_be_widened() {
        let descriptor = Descriptor::parse(&[0x90, 0xc0, 0x11, 9, 0x00]).unwrap();
        let wide = Descriptor {
            picture_id: Some(PictureId::Long(0x1234)),
            ..descriptor
        };
        let mut out = [0; MAX_DESCRIPTOR_LEN];
        assert_eq!(wide.write(&mut out), Ok(5));
        assert_eq!(out[..5], [0x90, 0xc0, 0x92, 0x34, 9]);
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_written_again(payload in proptest::collection::vec(any::<u8>(), 0..12)) {
            let Ok(descriptor) = Descriptor::parse(&payload) else { return Ok(()) };
            let mut out = [0; MAX_DESCRIPTOR_LEN];
            let length = descriptor.write(&mut out).unwrap();
            let again = Descriptor::parse(&out[..length]).unwrap();
            prop_assert_eq!(again, Descriptor { len: length as u8, ..descriptor });
        }
    }
}
