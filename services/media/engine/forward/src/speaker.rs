//! The dominant speaker (Volfin and Cohen, "Dominant speaker identification for multipoint videoconferencing", 2013,
//! with the constants of the Jitsi bridge). It names somebody for the picture and the UI; who is heard is
//! [`crate::audio`]'s.
//!
//! Each microphone's level is judged over three spans: now, the last words, the last sentence. One span's judgement is
//! how much likelier its count of active parts is with a speaker than without. A challenger must beat the dominant one
//! on all three.

use std::collections::BTreeMap;

use crate::{Micros, SourceId};

/// A level stands for this long.
const STEP: Micros = 20_000;
/// The dominant one is judged anew this often.
const DECIDE: Micros = 300_000;
/// Without a packet for this long, the level is 0.
const SILENT_AFTER: Micros = 40_000;
/// The room's noise is the least level of late: it falls at once, and rises by one in this time.
const FLOOR_RISES: Micros = 1_000_000;
/// Immediate values kept: a long span of 10 parts, each of 5 immediate ones.
const IMMEDIATES: usize = 50;
/// Who is this much behind hears silence for the whole history.
const MAX_STEPS: u64 = IMMEDIATES as u64;

const LEVEL_UNIT: u8 = 10;
/// An immediate value counts as active in a medium span above this.
const MEDIUM_THRESHOLD: u8 = 7;
/// A medium value counts as active in the long span above this.
const LONG_THRESHOLD: u8 = 4;
const MEDIUM_PARTS: usize = 5;

/// (parts, lambda) of the three spans; all have p = 0.5.
const IMMEDIATE: (u32, f64) = (13, 0.78);
const MEDIUM: (u32, f64) = (5, 24.0);
const LONG: (u32, f64) = (10, 47.0);
/// By how much a challenger must be ahead on each.
const AHEAD: [f64; 3] = [3.0, 2.0, 0.0];

/// One microphone.
#[derive(Debug, Clone)]
struct Voice {
    /// Newest first.
    immediates: [u8; IMMEDIATES],
    /// The room's noise.
    minimum: u8,
    level: u8,
    heard: Micros,
    stepped: Micros,
}

impl Voice {
    fn new(now: Micros) -> Self {
        Self {
            immediates: [0; IMMEDIATES],
            minimum: 127,
            level: 0,
            heard: now,
            stepped: now,
        }
    }

    fn hear(&mut self, loudness: u8, now: Micros) {
        self.advance(now);
        self.level = loudness;
        self.heard = now;
        self.minimum = self.minimum.min(loudness);
    }

    /// Fill the steps up to now.
    fn advance(&mut self, now: Micros) {
        let steps = (now.saturating_sub(self.stepped) / STEP).min(MAX_STEPS);
        for _ in 0..steps {
            self.stepped += STEP;
            let silent = self.stepped > self.heard + SILENT_AFTER;
            let level = if silent { 0 } else { self.level };
            if self.stepped % FLOOR_RISES < STEP {
                self.minimum = self.minimum.saturating_add(1).min(self.level);
            }
            let floor = self.minimum.saturating_add(LEVEL_UNIT);
            self.immediates.rotate_right(1);
            self.immediates[0] = if level < floor { 0 } else { level / LEVEL_UNIT };
        }
        if steps == MAX_STEPS {
            self.stepped = now;
        }
    }

    fn scores(&self) -> [f64; 3] {
        let mut mediums = [0; IMMEDIATES / MEDIUM_PARTS];
        for (medium, parts) in mediums.iter_mut().zip(self.immediates.chunks(MEDIUM_PARTS)) {
            *medium = parts
                .iter()
                .filter(|&&part| part > MEDIUM_THRESHOLD)
                .count() as u8;
        }
        let long = mediums
            .iter()
            .filter(|&&medium| medium > LONG_THRESHOLD)
            .count();
        [
            score(IMMEDIATE, u32::from(self.immediates[0])),
            score(MEDIUM, u32::from(mediums[0])),
            score(LONG, long as u32),
        ]
    }
}

/// ln C(n, v) + n ln 0.5 - ln lambda + lambda v
fn score((parts, lambda): (u32, f64), active: u32) -> f64 {
    let active = active.min(parts);
    let binomial: f64 = (1..=active)
        .map(|k| (f64::from(parts - active + k) / f64::from(k)).ln())
        .sum();
    let score =
        binomial + f64::from(parts) * 0.5_f64.ln() - lambda.ln() + lambda * f64::from(active);
    score.max(MIN_SCORE)
}

/// Scores are compared by the logarithm of their ratio, so none may reach 0.
const MIN_SCORE: f64 = 1e-10;

/// The microphones of a room and who dominates.
#[derive(Debug, Clone, Default)]
pub(crate) struct DominantSpeaker {
    voices: BTreeMap<SourceId, Voice>,
    dominant: Option<SourceId>,
    decided: Micros,
}

impl DominantSpeaker {
    /// A packet's level, in -dBov as RFC 6464 has it.
    pub(crate) fn hear(&mut self, source: SourceId, level: u8, now: Micros) {
        let voice = self.voices.entry(source).or_insert_with(|| Voice::new(now));
        voice.hear(127 - level.min(127), now);
    }

    pub(crate) fn forget(&mut self, source: SourceId) {
        self.voices.remove(&source);
        if self.dominant == Some(source) {
            self.dominant = None;
        }
    }

    /// Who dominates; judged anew each 300 ms.
    pub(crate) fn dominant(&mut self, now: Micros) -> Option<SourceId> {
        if now >= self.decided + DECIDE {
            self.decided = now;
            self.decide(now);
        }
        self.dominant
    }

    fn decide(&mut self, now: Micros) {
        for voice in self.voices.values_mut() {
            voice.advance(now);
        }
        let reference = match self.dominant.and_then(|source| self.voices.get(&source)) {
            Some(voice) => voice.scores(),
            None => [MIN_SCORE; 3],
        };
        let lead = |voice: &Voice| -> [f64; 3] {
            let scores = voice.scores();
            std::array::from_fn(|span| (scores[span] / reference[span]).ln())
        };
        let ahead = |lead: &[f64; 3]| lead.iter().zip(AHEAD).all(|(lead, least)| *lead > least);
        let challenger = self
            .voices
            .iter()
            .filter(|(source, _)| Some(**source) != self.dominant)
            .map(|(source, voice)| (*source, lead(voice)))
            .filter(|(_, lead)| ahead(lead))
            // The medium span tells best who took the word.
            .max_by(|(_, one), (_, other)| one[1].total_cmp(&other[1]));
        if let Some((source, _)) = challenger {
            self.dominant = Some(source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: SourceId = SourceId(1);
    const TWO: SourceId = SourceId(2);

    /// Let both speak at these levels for some seconds, and answer who dominates in the end.
    fn speak(
        speaker: &mut DominantSpeaker,
        levels: [Option<u8>; 2],
        seconds: std::ops::Range<u64>,
    ) -> Option<SourceId> {
        let steps = seconds.start * 50..seconds.end * 50;
        steps.fold(None, |_, step| {
            for (source, level) in [ONE, TWO].into_iter().zip(levels) {
                // Between words it is quiet for a moment.
                let pause = step % 60 < 3;
                if let Some(level) = level {
                    speaker.hear(source, if pause { 100 } else { level }, step * STEP);
                }
            }
            speaker.dominant(step * STEP)
        })
    }

    #[test]
    fn nobody_dominates_a_silent_room() {
        let mut speaker = DominantSpeaker::default();
        assert_eq!(speak(&mut speaker, [Some(127); 2], 0..3), None);
    }

    #[test]
    fn who_speaks_dominates_and_hands_over() {
        let mut speaker = DominantSpeaker::default();
        assert_eq!(speak(&mut speaker, [Some(30), Some(110)], 0..3), Some(ONE));
        assert_eq!(speak(&mut speaker, [Some(110), Some(30)], 3..6), Some(TWO));
    }

    #[test]
    fn a_cough_does_not_take_over() {
        let mut speaker = DominantSpeaker::default();
        speak(&mut speaker, [Some(30), Some(110)], 0..3);
        speaker.hear(TWO, 10, 3_000_000);
        assert_eq!(speak(&mut speaker, [Some(30), Some(110)], 3..5), Some(ONE));
    }

    #[test]
    fn the_dominant_one_stays_in_silence_until_it_leaves() {
        let mut speaker = DominantSpeaker::default();
        speak(&mut speaker, [Some(30), None], 0..3);
        assert_eq!(speaker.dominant(9_000_000), Some(ONE));
        speaker.forget(ONE);
        assert_eq!(speaker.dominant(9_000_001), None);
    }

    #[test]
    fn packets_that_stop_count_as_silence() {
        let mut speaker = DominantSpeaker::default();
        speak(&mut speaker, [Some(30), None], 0..3);
        assert_eq!(speak(&mut speaker, [None, Some(30)], 3..6), Some(TWO));
    }
}
