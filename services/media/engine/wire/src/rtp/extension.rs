//! Header extensions in their one-byte and two-byte forms (RFC 8285 section 4), and the values of those we read.

/// One extension: the id that the session description gave its URI, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// 1-14 in the one-byte form, 1-255 in the two-byte form.
    pub id: u8,
    /// 1-16 bytes in the one-byte form, 0-255 in the two-byte form.
    pub data: &'a [u8],
}

/// The profile that says one-byte form (RFC 8285 section 4.2).
pub(super) const ONE_BYTE: u16 = 0xbede;
/// The profile that says two-byte form; its low four bits are the application's (RFC 8285 section 4.3).
pub(super) const TWO_BYTE: u16 = 0x1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    OneByte,
    TwoByte,
}

/// Goes over the extensions of a packet and ends early where they are malformed: what came before stays usable.
#[derive(Debug, Clone)]
pub struct Extensions<'a> {
    form: Form,
    rest: &'a [u8],
}

impl Default for Extensions<'_> {
    fn default() -> Self {
        Self {
            form: Form::OneByte,
            rest: &[],
        }
    }
}

impl<'a> Extensions<'a> {
    /// Over the words that follow the profile and length. A profile of neither form holds nothing for us.
    pub(super) fn new(profile: u16, rest: &'a [u8]) -> Self {
        match profile {
            ONE_BYTE => Self {
                form: Form::OneByte,
                rest,
            },
            _ if profile & 0xfff0 == TWO_BYTE => Self {
                form: Form::TwoByte,
                rest,
            },
            _ => Self::default(),
        }
    }

    /// The bytes of the first extension with this id.
    pub fn find(mut self, id: u8) -> Option<&'a [u8]> {
        self.find_map(|extension| (extension.id == id).then_some(extension.data))
    }

    /// The next id and length, with `rest` moved behind them. `None` ends the whole block.
    fn next_element(&mut self) -> Option<(u8, usize)> {
        let (&first, rest) = self.rest.split_first()?;
        match self.form {
            Form::OneByte => {
                self.rest = rest;
                match (first >> 4, (first & 0x0f) as usize) {
                    // RFC 8285 section 4.2: a zero byte is padding; id 0 with a length, and id 15, end the block.
                    (0, 0) => Some((0, 0)),
                    (0 | 15, _) => None,
                    (id, length) => Some((id, length + 1)),
                }
            }
            // RFC 8285 section 4.3: a zero byte is padding and has no length.
            Form::TwoByte if first == 0 => {
                self.rest = rest;
                Some((0, 0))
            }
            Form::TwoByte => {
                let (&length, rest) = rest.split_first()?;
                self.rest = rest;
                Some((first, length as usize))
            }
        }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Extension<'a>> {
        while let Some((id, length)) = self.next_element() {
            if id == 0 {
                continue;
            }
            let Some((data, rest)) = self.rest.split_at_checked(length) else {
                break;
            };
            self.rest = rest;
            return Some(Extension { id, data });
        }
        self.rest = &[];
        None
    }
}

/// The value of MID, RID and repaired RID (RFC 8852 section 3, RFC 8843 section 15): printable ASCII without spaces,
/// at most 64 bytes. `None` for everything else.
pub fn text(data: &[u8]) -> Option<&str> {
    let printable = data.iter().all(u8::is_ascii_graphic);
    if !printable || !(1..=64).contains(&data.len()) {
        return None;
    }
    std::str::from_utf8(data).ok()
}

/// How loud a packet is (RFC 6464 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel {
    /// Whether the sender takes it for voice.
    pub voice: bool,
    /// Loudness below full scale: 0 is the loudest, 127 silence, in -dBov.
    pub level: u8,
}

impl AudioLevel {
    /// From the bytes of the extension. In the two-byte form a byte of padding may follow.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let &first = data.first()?;
        Some(Self {
            voice: first & 0x80 != 0,
            level: first & 0x7f,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(profile: u16, rest: &[u8]) -> Vec<(u8, &[u8])> {
        Extensions::new(profile, rest)
            .map(|extension| (extension.id, extension.data))
            .collect()
    }

    #[test]
    fn one_byte_form_with_padding_between() {
        let block = [0x10, 0xaa, 0, 0, 0x31, 1, 2, 0];
        assert_eq!(all(ONE_BYTE, &block), [(1, &[0xaa][..]), (3, &[1, 2])]);
        assert_eq!(Extensions::new(ONE_BYTE, &block).find(3), Some(&[1, 2][..]));
        assert_eq!(Extensions::new(ONE_BYTE, &block).find(2), None);
    }

    #[test]
    fn two_byte_form_with_empty_values() {
        let block = [1, 0, 0, 200, 2, 7, 8, 0];
        assert_eq!(all(TWO_BYTE, &block), [(1, &[][..]), (200, &[7, 8])]);
        assert_eq!(all(TWO_BYTE | 5, &block).len(), 2);
    }

    #[test]
    fn reserved_ids_end_a_one_byte_block() {
        assert_eq!(all(ONE_BYTE, &[0x10, 1, 0xf0, 9, 0x20, 2]), [(1, &[1][..])]);
        assert_eq!(
            all(ONE_BYTE, &[0x10, 1, 0x01, 9, 9, 0x20, 2]),
            [(1, &[1][..])]
        );
    }

    #[test]
    fn a_value_beyond_the_block_ends_it() {
        assert_eq!(all(ONE_BYTE, &[0x10, 1, 0x2f, 0]), [(1, &[1][..])]);
        assert_eq!(all(TWO_BYTE, &[1, 1, 5, 2, 9]), [(1, &[5][..])]);
        assert_eq!(all(TWO_BYTE, &[7]), []);
    }

    #[test]
    fn unknown_profiles_hold_nothing() {
        assert_eq!(all(0xabcd, &[0x10, 1, 0, 0]), []);
    }

    #[test]
    fn text_is_short_printable_ascii() {
        assert_eq!(text(b"h"), Some("h"));
        assert_eq!(text(b""), None);
        assert_eq!(text(b"a b"), None);
        assert_eq!(text("é".as_bytes()), None);
        assert_eq!(text(&[b'x'; 65]), None);
    }

    #[test]
    fn audio_level_has_voice_and_loudness() {
        assert_eq!(
            AudioLevel::parse(&[0x85]),
            Some(AudioLevel {
                voice: true,
                level: 5
            })
        );
        assert_eq!(
            AudioLevel::parse(&[127, 0]),
            Some(AudioLevel {
                voice: false,
                level: 127
            })
        );
        assert_eq!(AudioLevel::parse(&[]), None);
    }
}
