//! Writing RTP packets into a caller's buffer.

use super::extension::{ONE_BYTE, TWO_BYTE};
use super::{Extension, RtpTimestamp, SeqNo, Ssrc, VERSION};
use crate::bytes::Writer;
use crate::{Error, Result};

/// The fields of a header to write. Padding is never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpWriter<'a> {
    /// 0-127.
    pub payload_type: u8,
    /// The marker bit.
    pub marker: bool,
    /// The sequence number.
    pub seq: SeqNo,
    /// The media timestamp.
    pub timestamp: RtpTimestamp,
    /// The synchronisation source.
    pub ssrc: Ssrc,
    /// One contributing source: the number of the source that a slot shows.
    pub csrc: Option<u32>,
    /// In the one-byte form where ids and lengths allow it, in the two-byte form otherwise.
    pub extensions: &'a [Extension<'a>],
}

impl RtpWriter<'_> {
    /// Write the header alone and answer its length: the payload goes behind it.
    pub fn write_header(&self, out: &mut [u8]) -> Result<usize> {
        if self.payload_type > 127 {
            return Err(Error::OutOfRange);
        }
        let extension_bit = if self.extensions.is_empty() { 0 } else { 0x10 };
        let mut writer = Writer::new(out);
        writer.u8(VERSION << 6 | extension_bit | u8::from(self.csrc.is_some()))?;
        writer.u8(u8::from(self.marker) << 7 | self.payload_type)?;
        writer.u16(self.seq.0)?;
        writer.u32(self.timestamp.0)?;
        writer.u32(self.ssrc.0)?;
        if let Some(csrc) = self.csrc {
            writer.u32(csrc)?;
        }
        if !self.extensions.is_empty() {
            write_extensions(self.extensions, &mut writer)?;
        }
        Ok(writer.len())
    }

    /// Write header and payload and answer their length.
    pub fn write(&self, payload: &[u8], out: &mut [u8]) -> Result<usize> {
        let header = self.write_header(out)?;
        let end = header + payload.len();
        out.get_mut(header..end)
            .ok_or(Error::BufferTooSmall)?
            .copy_from_slice(payload);
        Ok(end)
    }
}

fn write_extensions(extensions: &[Extension<'_>], writer: &mut Writer<'_>) -> Result<()> {
    let one_byte = extensions
        .iter()
        .all(|e| (1..=14).contains(&e.id) && (1..=16).contains(&e.data.len()));
    writer.u16(if one_byte { ONE_BYTE } else { TWO_BYTE })?;
    let length_at = writer.len();
    writer.u16(0)?;
    for &Extension { id, data } in extensions {
        if one_byte {
            writer.u8(id << 4 | (data.len() - 1) as u8)?;
        } else if id == 0 {
            return Err(Error::OutOfRange);
        } else {
            writer.u8(id)?;
            writer.u8(data.len().try_into().map_err(|_| Error::OutOfRange)?)?;
        }
        writer.put(data)?;
    }
    writer.pad_to_word()?;
    let words = (writer.len() - length_at - 2) / 4;
    writer.patch_u16(length_at, words.try_into().map_err(|_| Error::OutOfRange)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::RtpPacket;

    const PLAIN: RtpWriter<'_> = RtpWriter {
        payload_type: 96,
        marker: true,
        seq: SeqNo(0xfffe),
        timestamp: RtpTimestamp(0x0102_0304),
        ssrc: Ssrc(0xa1a2_a3a4),
        csrc: Some(77),
        extensions: &[],
    };

    fn round_trip(writer: &RtpWriter<'_>) -> Vec<(u8, Vec<u8>)> {
        let mut out = [0xff; 400];
        let length = writer.write(b"payload", &mut out).unwrap();
        let packet = RtpPacket::parse(&out[..length]).unwrap();
        assert_eq!(packet.payload, b"payload");
        assert_eq!(packet.header.seq, writer.seq);
        assert_eq!(packet.header.timestamp, writer.timestamp);
        assert_eq!(packet.header.ssrc, writer.ssrc);
        assert_eq!(packet.header.marker, writer.marker);
        assert_eq!(packet.header.payload_type, writer.payload_type);
        assert_eq!(packet.csrcs().next(), writer.csrc);
        packet
            .extensions()
            .map(|e| (e.id, e.data.to_vec()))
            .collect()
    }

    #[test]
    fn what_is_written_is_parsed_again() {
        assert!(round_trip(&PLAIN).is_empty());
        assert!(
            round_trip(&RtpWriter {
                csrc: None,
                marker: false,
                ..PLAIN
            })
            .is_empty()
        );
    }

    #[test]
    fn small_extensions_take_the_one_byte_form() {
        let extensions = [
            Extension {
                id: 3,
                data: b"mid",
            },
            Extension {
                id: 14,
                data: &[9; 16],
            },
        ];
        let mut out = [0; 64];
        RtpWriter {
            extensions: &extensions,
            ..PLAIN
        }
        .write_header(&mut out)
        .unwrap();
        assert_eq!(out[16..20], [0xbe, 0xde, 0, 6]);
        let parsed = round_trip(&RtpWriter {
            extensions: &extensions,
            ..PLAIN
        });
        assert_eq!(parsed, [(3, b"mid".to_vec()), (14, vec![9; 16])]);
    }

    #[test]
    fn large_or_empty_extensions_take_the_two_byte_form() {
        let long = [5; 255];
        let extensions = [
            Extension { id: 1, data: &[] },
            Extension {
                id: 200,
                data: &long,
            },
        ];
        let parsed = round_trip(&RtpWriter {
            extensions: &extensions,
            ..PLAIN
        });
        assert_eq!(parsed, [(1, vec![]), (200, long.to_vec())]);
    }

    #[test]
    fn a_small_buffer_is_an_error_at_every_length() {
        let writer = RtpWriter {
            extensions: &[Extension { id: 1, data: &[1] }],
            ..PLAIN
        };
        let mut out = [0; 64];
        let length = writer.write(&[1, 2, 3], &mut out).unwrap();
        for short in 0..length {
            assert_eq!(
                writer.write(&[1, 2, 3], &mut out[..short]),
                Err(Error::BufferTooSmall)
            );
        }
    }

    #[test]
    fn values_that_do_not_fit_are_the_callers_error() {
        let mut out = [0; 400];
        assert_eq!(
            RtpWriter {
                payload_type: 128,
                ..PLAIN
            }
            .write_header(&mut out),
            Err(Error::OutOfRange)
        );
        for extension in [
            Extension { id: 0, data: &[] },
            Extension {
                id: 1,
                data: &[0; 256],
            },
        ] {
            let writer = RtpWriter {
                extensions: &[extension],
                ..PLAIN
            };
            assert_eq!(writer.write_header(&mut out), Err(Error::OutOfRange));
        }
    }
}
