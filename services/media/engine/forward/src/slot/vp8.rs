//! A slot's VP8 picture ids, which go on without a jump through every switch (RFC 7741 section 4.2).

use salon_wire::codec::vp8::{Descriptor, PictureId};

/// Maps ids by offsets that only a switch changes.
#[derive(Debug, Clone)]
pub(crate) struct PictureIds {
    highest: u16,
    highest_tl0: u8,
    offset: u16,
    offset_tl0: u8,
}

/// Picture ids have 15 bits.
const MASK: u16 = 0x7fff;

impl PictureIds {
    pub(crate) fn new(first: u16) -> Self {
        Self {
            highest: first & MASK,
            highest_tl0: (first >> 8) as u8,
            offset: 0,
            offset_tl0: 0,
        }
    }

    /// Go on with another feed, whose first key frame begins with this descriptor.
    pub(crate) fn switch(&mut self, first: &Descriptor) {
        let id = first.picture_id.map_or(0, PictureId::value);
        self.offset = self.highest.wrapping_add(1).wrapping_sub(id) & MASK;
        let tl0 = first.tl0_pic_idx.unwrap_or(0);
        self.offset_tl0 = self.highest_tl0.wrapping_add(1).wrapping_sub(tl0);
    }

    /// The descriptor to send instead. Ids are widened to 15 bits, so that feeds of both widths follow each other.
    pub(crate) fn map(&mut self, descriptor: &Descriptor) -> Descriptor {
        let mut out = *descriptor;
        if let Some(id) = descriptor.picture_id {
            let id = self.unshortened(id).wrapping_add(self.offset) & MASK;
            if id.wrapping_sub(self.highest) & MASK < 1 << 14 {
                self.highest = id;
            }
            out.picture_id = Some(PictureId::Long(id));
        }
        if let Some(tl0) = descriptor.tl0_pic_idx {
            let tl0 = tl0.wrapping_add(self.offset_tl0);
            if tl0.wrapping_sub(self.highest_tl0) < 1 << 7 {
                self.highest_tl0 = tl0;
            }
            out.tl0_pic_idx = Some(tl0);
        }
        out
    }

    /// The id in the feed's own counting; a seven-bit one becomes the nearest to the highest seen.
    fn unshortened(&self, id: PictureId) -> u16 {
        match id {
            PictureId::Long(id) => id,
            PictureId::Short(id) => {
                let highest = self.highest.wrapping_sub(self.offset);
                let steps = ((u16::from(id).wrapping_sub(highest) << 9) as i16) >> 9;
                highest.wrapping_add_signed(steps)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(id: PictureId, tl0: u8) -> Descriptor {
        let (byte, rest) = match id {
            PictureId::Short(id) => (id, None),
            PictureId::Long(id) => ((id >> 8) as u8 | 0x80, Some(id as u8)),
        };
        let mut payload = vec![0x90, 0xe0, byte];
        payload.extend(rest);
        payload.extend([tl0, 0, 0]);
        Descriptor::parse(&payload).unwrap()
    }

    fn ids(descriptor: Descriptor) -> (u16, u8) {
        (
            descriptor.picture_id.map_or(0, PictureId::value),
            descriptor.tl0_pic_idx.unwrap_or(0),
        )
    }

    #[test]
    fn ids_go_on_over_a_switch() {
        let mut pictures = PictureIds::new(0x7fff);
        let first = descriptor(PictureId::Long(500), 9);
        pictures.switch(&first);
        assert_eq!(ids(pictures.map(&first)), (0, 0x80));
        let second = descriptor(PictureId::Long(501), 10);
        assert_eq!(ids(pictures.map(&second)), (1, 0x81));
        assert_eq!(ids(pictures.map(&first)), (0, 0x80));
        let other = descriptor(PictureId::Long(3), 200);
        pictures.switch(&other);
        assert_eq!(ids(pictures.map(&other)), (2, 0x82));
    }

    #[test]
    fn short_ids_count_on_past_their_width() {
        let mut pictures = PictureIds::new(999);
        pictures.switch(&descriptor(PictureId::Short(126), 0));
        let out: Vec<_> = [126, 127, 0, 1, 127]
            .map(|id| ids(pictures.map(&descriptor(PictureId::Short(id), 0))).0)
            .into();
        assert_eq!(out, [1000, 1001, 1002, 1003, 1001]);
    }

    #[test]
    fn what_a_feed_lacks_is_not_added() {
        let mut pictures = PictureIds::new(1);
        let bare = Descriptor::parse(&[0x10, 0]).unwrap();
        pictures.switch(&bare);
        assert_eq!(pictures.map(&bare).picture_id, None);
    }
}
