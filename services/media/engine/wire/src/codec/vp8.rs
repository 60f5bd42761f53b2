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
