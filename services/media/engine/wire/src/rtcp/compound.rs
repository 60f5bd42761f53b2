//! Several packets in one datagram.

use super::packet_type::{
    BYE, PAYLOAD_FEEDBACK, RECEIVER_REPORT, SDES, SENDER_REPORT, TRANSPORT_FEEDBACK,
};
use super::{
    Bye, Fir, Nack, Pli, ReceiverReport, ReportBlock, Sdes, SenderInfo, SenderReport, format,
};
use crate::bytes::{Reader, Writer};
use crate::rtp::{SeqNo, Ssrc, VERSION};
use crate::{Error, Result};

/// One packet of a datagram.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// SR.
    SenderReport(SenderReport<'a>),
    /// RR.
    ReceiverReport(ReceiverReport<'a>),
    /// SDES.
    Sdes(Sdes<'a>),
    /// BYE.
    Bye(Bye<'a>),
    /// Generic NACK.
    Nack(Nack<'a>),
    /// Picture loss indication.
    Pli(Pli),
    /// Full intra request.
    Fir(Fir<'a>),
    /// A type or format that is not read here.
    Other {
        /// The packet type.
        packet_type: u8,
        /// The format of feedback, a count in other types.
        count: u8,
    },
}

/// Goes over the packets of a datagram in the clear, and ends after the first that is malformed.
#[derive(Debug, Clone)]
pub struct Compound<'a> {
    reader: Reader<'a>,
}

impl<'a> Compound<'a> {
    /// Over this datagram.
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(datagram),
        }
    }

    fn parse_next(&mut self) -> Result<Packet<'a>> {
        let [first, packet_type] = self.reader.array()?;
        if first >> 6 != VERSION {
            return Err(Error::WrongProtocol);
        }
        let words = self.reader.u16()?;
        let mut body = self.reader.take(4 * words as usize)?;
        if first & 0x20 != 0 {
            // RFC 3550 section 6.4.1: only the last packet of a compound is padded.
            if self.reader.remaining() != 0 {
                return Err(Error::BadLength);
            }
            body = without_padding(body)?;
        }
        let count = first & 0x1f;
        Ok(match (packet_type, count) {
            (SENDER_REPORT, _) => Packet::SenderReport(SenderReport::parse(count, body)?),
            (RECEIVER_REPORT, _) => Packet::ReceiverReport(ReceiverReport::parse(count, body)?),
            (SDES, _) => Packet::Sdes(Sdes::parse(count, body)?),
            (BYE, _) => Packet::Bye(Bye::parse(count, body)?),
            (TRANSPORT_FEEDBACK, format::NACK) => Packet::Nack(Nack::parse(body)?),
            (PAYLOAD_FEEDBACK, format::PLI) => Packet::Pli(Pli::parse(body)?),
            (PAYLOAD_FEEDBACK, format::FIR) => Packet::Fir(Fir::parse(body)?),
            _ => Packet::Other { packet_type, count },
        })
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Result<Packet<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.remaining() == 0 {
            return None;
        }
        let packet = self.parse_next();
        if packet.is_err() {
            self.reader = Reader::new(&[]);
        }
        Some(packet)
    }
}

/// RFC 3550 section 6.4.1: the last byte counts the padding, itself included, in whole words.
fn without_padding(body: &[u8]) -> Result<&[u8]> {
    let padding = *body.last().ok_or(Error::BadLength)? as usize;
    if padding == 0 || padding % 4 != 0 {
        return Err(Error::BadLength);
    }
    let length = body.len().checked_sub(padding).ok_or(Error::BadLength)?;
    Ok(&body[..length])
}

/// Writes packets one behind the other. A packet that does not fit leaves nothing of itself behind.
#[derive(Debug)]
pub struct CompoundWriter<'a> {
    writer: Writer<'a>,
}

impl<'a> CompoundWriter<'a> {
    /// Into this buffer.
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self {
            writer: Writer::new(out),
        }
    }

    /// The length of all that was written.
    pub const fn len(&self) -> usize {
        self.writer.len()
    }

    /// Whether nothing was written.
    pub const fn is_empty(&self) -> bool {
        self.writer.len() == 0
    }

    /// SR, with at most 31 blocks.
    pub fn sender_report(&mut self, info: &SenderInfo, blocks: &[ReportBlock]) -> Result<()> {
        self.whole(|writer| info.write(blocks, writer))
    }

    /// RR, with at most 31 blocks. Without any it is the smallest sign of life.
    pub fn receiver_report(&mut self, sender: Ssrc, blocks: &[ReportBlock]) -> Result<()> {
        self.whole(|writer| ReceiverReport::write(sender, blocks, writer))
    }

    /// SDES with one CNAME of at most 255 bytes.
    pub fn cname(&mut self, source: Ssrc, cname: &str) -> Result<()> {
        self.whole(|writer| Sdes::write_cname(source, cname, writer))
    }

    /// PLI.
    pub fn pli(&mut self, pli: Pli) -> Result<()> {
        self.whole(|writer| pli.write(writer))
    }

    /// FIR for one source. `command` must differ from that of the request before.
    pub fn fir(&mut self, sender: Ssrc, media: Ssrc, command: u8) -> Result<()> {
        self.whole(|writer| Fir::write(sender, media, command, writer))
    }

    /// Generic NACK. Numbers in rising order share entries, those that are not in order take more room.
    pub fn nack(&mut self, sender: Ssrc, media: Ssrc, lost: &[SeqNo]) -> Result<()> {
        self.whole(|writer| Nack::write(sender, media, lost, writer))
    }

    fn whole(&mut self, write: impl FnOnce(&mut Writer<'a>) -> Result<()>) -> Result<()> {
        let before = self.writer.len();
        let result = write(&mut self.writer);
        if result.is_err() {
            self.writer.truncate(before);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLI: Pli = Pli {
        sender: Ssrc(1),
        media: Ssrc(2),
    };

    #[test]
    fn packets_are_read_in_order() {
        let mut out = [0; 128];
        let mut writer = CompoundWriter::new(&mut out);
        writer.receiver_report(Ssrc(1), &[]).unwrap();
        writer.cname(Ssrc(1), "abc").unwrap();
        writer.pli(PLI).unwrap();
        let length = writer.len();
        let mut packets = Compound::new(&out[..length]);
        assert!(matches!(
            packets.next(),
            Some(Ok(Packet::ReceiverReport(_)))
        ));
        assert!(matches!(packets.next(), Some(Ok(Packet::Sdes(_)))));
        assert!(matches!(packets.next(), Some(Ok(Packet::Pli(PLI)))));
        assert!(packets.next().is_none());
    }

    #[test]
    fn a_malformed_packet_is_the_last() {
        let datagram = [0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 201, 0, 9, 0, 0, 0, 1];
        let mut packets = Compound::new(&datagram);
        assert!(matches!(
            packets.next(),
            Some(Ok(Packet::ReceiverReport(_)))
        ));
        assert_eq!(
            packets.next().map(Result::err),
            Some(Some(Error::Truncated))
        );
        assert!(packets.next().is_none());
    }

    #[test]
    fn other_versions_are_refused() {
        assert_eq!(
            Compound::new(&[0x40, 201, 0, 0]).next().unwrap().err(),
            Some(Error::WrongProtocol)
        );
    }

    #[test]
    fn unknown_types_are_passed_over() {
        let datagram = [0x8f, 205, 0, 0, 0x80, 210, 0, 1, 9, 9, 9, 9];
        let types: Vec<_> = Compound::new(&datagram)
            .map(|packet| match packet {
                Ok(Packet::Other { packet_type, count }) => (packet_type, count),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(types, [(205, 15), (210, 0)]);
    }

    #[test]
    fn padding_is_taken_off_the_last_packet_only() {
        let padded = [0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
        let packet = Compound::new(&padded).next().unwrap().unwrap();
        assert!(matches!(packet, Packet::ReceiverReport(report) if report.sender == Ssrc(1)));
        let followed = [&padded[..], &[0x80, 201, 0, 1, 0, 0, 0, 1]].concat();
        assert_eq!(
            Compound::new(&followed).next().unwrap().err(),
            Some(Error::BadLength)
        );
        for count in [0, 3, 5, 12] {
            let mut bad = padded;
            bad[11] = count;
            assert_eq!(
                Compound::new(&bad).next().unwrap().err(),
                Some(Error::BadLength),
                "padding of {count}"
            );
        }
        assert_eq!(
            Compound::new(&[0xa0, 201, 0, 0]).next().unwrap().err(),
            Some(Error::BadLength)
        );
    }

    #[test]
    fn what_does_not_fit_leaves_nothing() {
        let mut out = [0; 30];
        let mut writer = CompoundWriter::new(&mut out);
        assert!(writer.is_empty());
        writer.pli(PLI).unwrap();
        assert_eq!(
            writer.nack(Ssrc(1), Ssrc(2), &[SeqNo(3), SeqNo(100)]),
            Err(Error::BufferTooSmall)
        );
        assert_eq!(writer.len(), 12);
        writer.pli(PLI).unwrap();
        assert_eq!(writer.len(), 24);
    }
}
