//! A room: its members, their sources, and who receives what.
//!
//! Here are joining, leaving, wishes and timers; packets are in `media`, reports and requests in `control`.

mod control;
mod media;
mod participant;

use std::collections::{BTreeMap, VecDeque};

use control::Message;
use participant::Participant;

use crate::audio::Ranking;
use crate::layout::{Wish, choose_layer};
use crate::random::Random;
use crate::slot::SlotChange;
use crate::source::{FeedId, Source};
use crate::speaker::DominantSpeaker;
use crate::{Member, MemberSpec, Micros, SourceId, SpecError};

/// How often members hear who is speaking, at most.
const SPEAKERS: Micros = 250_000;
/// How often it is looked whether a layer or a screen's sound ended.
const SURVEY: Micros = 100_000;
/// Screen audio without a packet for this long has ended.
const PROGRAMME_ALIVE: Micros = 2_000_000;

/// What the members should be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// What these slots of a member show now.
    Slots(Member, Vec<SlotChange>),
    /// Who is heard, loudest first, and who dominates.
    Speakers(Vec<SourceId>, Option<SourceId>),
}

/// One room.
#[derive(Debug)]
pub struct Room {
    participants: BTreeMap<Member, Participant>,
    sources: BTreeMap<SourceId, Source>,
    ranking: Ranking,
    speaker: DominantSpeaker,
    /// Active screen audio, the longest active first.
    programme: Vec<SourceId>,
    random: Random,
    last_feed: FeedId,
    messages: VecDeque<Message>,
    events: VecDeque<RoomEvent>,
    told_speakers: (Vec<SourceId>, Option<SourceId>),
    speakers_told: Micros,
    surveyed: Micros,
}

impl Room {
    /// An empty room. `seed` makes the start values of its slots.
    pub fn new(seed: u64) -> Self {
        Self {
            participants: BTreeMap::new(),
            sources: BTreeMap::new(),
            ranking: Ranking::default(),
            speaker: DominantSpeaker::default(),
            programme: Vec::new(),
            random: Random::new(seed),
            last_feed: FeedId(0),
            messages: VecDeque::new(),
            events: VecDeque::new(),
            told_speakers: (Vec::new(), None),
            speakers_told: 0,
            surveyed: 0,
        }
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }

    /// A member joins. Its sources become its own even where another session had them: a newer session of one
    /// participant replaces the older.
    pub fn join(&mut self, member: Member, spec: MemberSpec) -> Result<(), SpecError> {
        spec.check()?;
        if self.participants.contains_key(&member) {
            return Err(SpecError::Twice);
        }
        for send in &spec.sends {
            self.remove_source(send.source);
            let mut source = Source::new(member, send);
            source.watchers = self.watchers_of(send.source);
            self.sources.insert(send.source, source);
        }
        let participant = Participant::new(spec, &mut self.random);
        self.participants.insert(member, participant);
        self.assign_speech();
        self.assign_programme();
        Ok(())
    }

    /// A member leaves, and its sources with it.
    pub fn leave(&mut self, member: Member) {
        if self.participants.remove(&member).is_none() {
            return;
        }
        let owned = self
            .sources
            .values()
            .filter(|source| source.owner == member);
        let owned: Vec<_> = owned.map(|source| source.id).collect();
        for source in owned {
            self.remove_source(source);
        }
        for source in self.sources.values_mut() {
            source.watchers.retain(|(watcher, _)| *watcher != member);
        }
        self.assign_speech();
        self.assign_programme();
    }

    /// What a member's video slots shall show; slots without a wish show nothing. Nobody sees themselves.
    pub fn set_layout(&mut self, now: Micros, member: Member, wishes: &[Wish]) {
        let Some(participant) = self.participants.get_mut(&member) else {
            return;
        };
        for source in self.sources.values_mut() {
            source.watchers.retain(|(watcher, _)| *watcher != member);
        }
        let own = participant.own_sources();
        for slot in &mut participant.video {
            let wish = wishes
                .iter()
                .find(|wish| wish.slot == slot.index() && !own.contains(&wish.source));
            slot.set_wish(wish.copied());
            let source = wish.and_then(|wish| self.sources.get_mut(&wish.source));
            if let Some(source) = source.filter(|source| source.kind.is_video()) {
                source.watchers.push((member, slot.index()));
            }
        }
        for wish in wishes {
            self.aim_watchers(now, wish.source);
        }
    }

    /// Timers: to be called each few milliseconds.
    pub fn handle_timeout(&mut self, now: Micros) {
        if now >= self.surveyed + SURVEY {
            self.surveyed = now;
            self.survey(now);
        }
        self.collect_messages(now);
        self.tell_slots();
        if now >= self.speakers_told + SPEAKERS {
            self.tell_speakers(now);
        }
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<RoomEvent> {
        self.events.pop_front()
    }

    /// Who wishes to see a source.
    fn watchers_of(&self, source: SourceId) -> Vec<(Member, u8)> {
        let slots = self.participants.iter().flat_map(|(member, participant)| {
            let slots = participant.video.iter();
            slots.map(move |slot| (*member, slot))
        });
        slots
            .filter(|(_, slot)| slot.wish().is_some_and(|wish| wish.source == source))
            .map(|(member, slot)| (member, slot.index()))
            .collect()
    }

    fn remove_source(&mut self, id: SourceId) {
        let Some(source) = self.sources.remove(&id) else {
            return;
        };
        self.ranking.forget(id);
        self.speaker.forget(id);
        self.programme.retain(|active| *active != id);
        for (member, index) in source.watchers {
            let participant = self.participants.get_mut(&member);
            if let Some(slot) = participant.and_then(|participant| participant.video_slot(index)) {
                slot.stop();
            }
        }
    }

    /// Give every watcher of a source the layer that fits its wish, and ask for the key frames that this takes.
    fn aim_watchers(&mut self, now: Micros, id: SourceId) {
        let Some(source) = self.sources.get_mut(&id) else {
            return;
        };
        let states = source.layer_states(now);
        source.aimed_at = source.living(now);
        for (member, index) in &source.watchers {
            let participant = self.participants.get_mut(member);
            let Some(slot) = participant.and_then(|participant| participant.video_slot(*index))
            else {
                continue;
            };
            let max_height = slot.wish().map_or(0, |wish| wish.max_height);
            let layer = choose_layer(&states, max_height);
            if slot.aim(layer as u8) {
                source.layers[layer].key_frames.want();
            }
        }
        self.request_key_frames(now, id);
    }

    /// Look which layers and screen sounds ended.
    fn survey(&mut self, now: Micros) {
        let changed = self
            .sources
            .values()
            .filter(|source| source.kind.is_video() && source.living(now) != source.aimed_at);
        let changed: Vec<_> = changed.map(|source| source.id).collect();
        for source in changed {
            self.aim_watchers(now, source);
        }
        let sources = &self.sources;
        let before = self.programme.len();
        self.programme.retain(|active| {
            let last = sources.get(active).and_then(Source::last_packet);
            last.is_some_and(|last| now < last + PROGRAMME_ALIVE)
        });
        if self.programme.len() != before {
            self.assign_programme();
        }
    }

    /// Put the loudest into everybody's speech slots; who stays keeps their slot.
    fn assign_speech(&mut self) {
        for participant in self.participants.values_mut() {
            let own = participant.own_sources();
            let heard = self.ranking.heard_without(&own);
            participant.assign_speech(heard);
        }
    }

    fn assign_programme(&mut self) {
        for participant in self.participants.values_mut() {
            let own = participant.own_sources();
            let active = self.programme.iter().copied();
            participant.assign_programme(active.filter(|source| !own.contains(source)));
        }
    }

    fn tell_slots(&mut self) {
        for (member, participant) in &mut self.participants {
            let changes = participant.take_changes();
            if !changes.is_empty() {
                self.events.push_back(RoomEvent::Slots(*member, changes));
            }
        }
    }

    fn tell_speakers(&mut self, now: Micros) {
        let speakers = (self.ranking.speaking(now), self.speaker.dominant(now));
        if speakers != self.told_speakers {
            self.speakers_told = now;
            self.told_speakers.clone_from(&speakers);
            let (heard, dominant) = speakers;
            self.events.push_back(RoomEvent::Speakers(heard, dominant));
        }
    }
}
