//! Who is heard: the loudest microphones of a room, by the levels their packets carry (RFC 6464).
//!
//! Decided on every packet, so that an onset enters with its first one. Four places: the top three are heard by all
//! but themselves, and whoever holds one of those hears the fourth instead. Packets without a level count as
//! [`UNKNOWN_LEVEL`]; a missing packet (DTX) counts as silence, because nothing says otherwise.

use crate::{Micros, SourceId};

/// Places in a room.
pub(crate) const PLACES: usize = 4;
/// What a receiver hears at most.
pub(crate) const HEARD: usize = 3;
/// -40 dBov: plain speech, so that clients which send no levels are heard, and louder ones win.
pub(crate) const UNKNOWN_LEVEL: u8 = 40;

/// Anything less loud than -60 dBov is silence: speech in a quiet room lies above, its noise below.
const SILENT_LEVEL: u8 = 60;
/// A source keeps its place this long at least.
const HOLD: Micros = 1_000_000;
/// A silent one may be replaced after this.
const SILENT_AFTER: Micros = 300_000;
/// Decibels by which a challenger must outrank somebody who is not silent.
const MARGIN: u32 = 10;
/// Loudness fades by one decibel in this time: a pause between words is no reason to lose rank.
const FADE: Micros = 25_000;

/// A microphone's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    source: SourceId,
    /// Decibels above -127 dBov, at `heard`, fading since.
    loudness: u32,
    measured: Micros,
    /// When it was last above silence; `None` while it never was.
    heard: Option<Micros>,
    entered: Micros,
}

impl Standing {
    fn loudness_at(&self, now: Micros) -> u32 {
        let faded = now.saturating_sub(self.measured) / FADE;
        self.loudness.saturating_sub(faded.min(127) as u32)
    }

    fn is_silent(&self, now: Micros) -> bool {
        self.heard.is_none_or(|heard| now >= heard + SILENT_AFTER)
    }

    /// Whether a challenger may take this place. Who never spoke holds nothing.
    fn yields_to(&self, challenger: &Self, now: Micros) -> bool {
        if self.heard.is_none() {
            return true;
        }
        now >= self.entered + HOLD
            && (self.is_silent(now) || self.loudness_at(now) + MARGIN < challenger.loudness_at(now))
    }
}

/// The microphones of a room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranking {
    /// In order: the first [`HEARD`] are heard by everybody else.
    places: Vec<Standing>,
}

impl Ranking {
    /// A packet of a microphone: answers whether who is heard changed.
    pub(crate) fn hear(&mut self, source: SourceId, level: u8, now: Micros) -> bool {
        let place = self.places.iter().position(|held| held.source == source);
        let challenger = self.measured(place, source, level, now);
        match place {
            Some(place) => self.places[place] = challenger,
            None if self.places.len() < PLACES => {
                self.places.push(challenger);
                return true;
            }
            None => {}
        }
        let is_top = place.is_some_and(|place| place < HEARD);
        if is_top || challenger.is_silent(now) {
            return false;
        }
        self.rise(place, challenger, now)
    }

    /// A source is gone: answers whether who is heard changed.
    pub(crate) fn forget(&mut self, source: SourceId) -> bool {
        let before = self.places.len();
        self.places.retain(|held| held.source != source);
        self.places.len() != before
    }

    /// What a receiver with these microphones of its own hears, at most [`HEARD`], highest place first.
    pub(crate) fn heard_without(&self, own: &[SourceId]) -> impl Iterator<Item = SourceId> {
        self.places
            .iter()
            .map(|held| held.source)
            .filter(move |source| !own.contains(source))
            .take(HEARD)
    }

    /// The microphones that are not silent now, loudest first.
    pub(crate) fn speaking(&self, now: Micros) -> Vec<SourceId> {
        let mut speaking: Vec<_> = self
            .places
            .iter()
            .filter(|held| !held.is_silent(now))
            .collect();
        speaking.sort_by_key(|held| std::cmp::Reverse(held.loudness_at(now)));
        speaking.iter().map(|held| held.source).collect()
    }

    /// The standing after a packet: up at once, down by fading.
    fn measured(&self, place: Option<usize>, source: SourceId, level: u8, now: Micros) -> Standing {
        let before = place.map(|place| self.places[place]);
        let loudness = 127 - u32::from(level.min(127));
        let audible = level <= SILENT_LEVEL;
        Standing {
            source,
            loudness: before.map_or(0, |held| held.loudness_at(now)).max(loudness),
            measured: now,
            heard: if audible {
                Some(now)
            } else {
                before.and_then(|held| held.heard)
            },
            entered: before.map_or(now, |held| held.entered),
        }
    }

    /// Take the weakest place that yields: among the top ones, where the reserve moves up; else the reserve's.
    fn rise(&mut self, place: Option<usize>, challenger: Standing, now: Micros) -> bool {
        let entering = Standing {
            entered: now,
            ..challenger
        };
        if let Some(top) = self.weakest_yielding(0..HEARD, &challenger, now) {
            let evicted = std::mem::replace(&mut self.places[top], entering);
            let reserve = place.unwrap_or(PLACES - 1);
            if place.is_some() || self.places[reserve].yields_to(&evicted, now) {
                self.places[reserve] = evicted;
            }
            return true;
        }
        let outside = place.is_none();
        if outside
            && self
                .weakest_yielding(HEARD..PLACES, &challenger, now)
                .is_some()
        {
            self.places[PLACES - 1] = entering;
            return true;
        }
        false
    }

    fn weakest_yielding(
        &self,
        mut places: std::ops::Range<usize>,
        challenger: &Standing,
        now: Micros,
    ) -> Option<usize> {
        places.end = places.end.min(self.places.len());
        places
            .filter(|&place| self.places[place].yields_to(challenger, now))
            .min_by_key(|&place| {
                let held = &self.places[place];
                (
                    held.heard.is_some(),
                    !held.is_silent(now),
                    held.loudness_at(now),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: u8 = 20;
    const QUIET: u8 = 90;
    const MS: Micros = 1000;

    fn room(levels: &[u8]) -> Ranking {
        let mut ranking = Ranking::default();
        for (number, &level) in levels.iter().enumerate() {
            ranking.hear(SourceId(number as u32 + 1), level, 0);
        }
        ranking
    }

    fn heard(ranking: &Ranking, own: u32) -> Vec<u32> {
        ranking
            .heard_without(&[SourceId(own)])
            .map(|source| source.0)
            .collect()
    }

    #[test]
    fn nobody_hears_themselves_and_speakers_hear_the_fourth() {
        let ranking = room(&[LOUD; 4]);
        assert_eq!(heard(&ranking, 9), [1, 2, 3]);
        assert_eq!(heard(&ranking, 1), [2, 3, 4]);
        assert_eq!(heard(&ranking, 4), [1, 2, 3]);
    }

    #[test]
    fn an_onset_enters_with_its_first_packet() {
        let mut ranking = room(&[QUIET; 4]);
        assert!(ranking.hear(SourceId(5), LOUD, 20 * MS));
        assert!(heard(&ranking, 9).contains(&5));
    }

    #[test]
    fn speakers_hold_for_a_second_and_yield_when_silent() {
        let mut ranking = room(&[LOUD; 4]);
        for now in (0..1000).step_by(20) {
            for source in 1..=3 {
                ranking.hear(SourceId(source), LOUD, now * MS);
            }
            ranking.hear(SourceId(4), if now < 500 { LOUD } else { QUIET }, now * MS);
            assert!(!ranking.hear(SourceId(5), LOUD, now * MS), "at {now} ms");
        }
        assert!(ranking.hear(SourceId(5), LOUD, 1000 * MS));
        assert_eq!(heard(&ranking, 1), [2, 3, 5]);
    }

    #[test]
    fn much_louder_evicts_and_a_little_louder_does_not() {
        let speak = |ranking: &mut Ranking, challenger: u8| {
            (1000..1400).step_by(20).any(|now| {
                for source in 1..=4 {
                    ranking.hear(SourceId(source), 40, now * MS);
                }
                ranking.hear(SourceId(5), challenger, now * MS)
            })
        };
        assert!(!speak(&mut room(&[40; 4]), 35));
        assert!(speak(&mut room(&[40; 4]), 20));
    }

    #[test]
    fn the_evicted_falls_back_to_the_reserve() {
        let mut ranking = room(&[LOUD, LOUD, LOUD, QUIET]);
        for source in 2..=3 {
            ranking.hear(SourceId(source), LOUD, 1500 * MS);
        }
        assert!(ranking.hear(SourceId(5), LOUD, 1500 * MS));
        assert_eq!(heard(&ranking, 9), [5, 2, 3]);
        assert_eq!(heard(&ranking, 5), [2, 3, 1]);
    }

    #[test]
    fn missing_packets_are_silence() {
        let ranking = room(&[LOUD, UNKNOWN_LEVEL]);
        assert_eq!(ranking.speaking(0), [SourceId(1), SourceId(2)]);
        assert!(ranking.speaking(300 * MS).is_empty());
    }

    #[test]
    fn the_gone_leave_their_place() {
        let mut ranking = room(&[LOUD; 4]);
        assert!(ranking.forget(SourceId(2)));
        assert!(!ranking.forget(SourceId(2)));
        assert_eq!(heard(&ranking, 9), [1, 3, 4]);
    }
}
