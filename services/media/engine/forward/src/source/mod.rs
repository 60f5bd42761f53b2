//! What members send: sources, and the simulcast layers of each.

mod binding;
mod clock;
mod layer;
mod reception;

pub(crate) use binding::{Binding, Bindings, Role};
pub(crate) use clock::SenderClock;
pub(crate) use layer::{FeedId, Incoming, Layer, Media};

use salon_wire::rtp::Ssrc;

use crate::layout::LayerState;
use crate::{Member, Micros, SendSpec, SourceId, SourceKind};

/// One source of a room.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) id: SourceId,
    pub(crate) kind: SourceKind,
    pub(crate) owner: Member,
    /// In the order of the offer, lowest first.
    pub(crate) layers: Vec<Layer>,
    /// Video slots whose wish is this source.
    pub(crate) watchers: Vec<(Member, u8)>,
    /// Which layers were alive when the watchers were last aimed.
    pub(crate) aimed_at: u8,
}

impl Source {
    pub(crate) fn new(owner: Member, spec: &SendSpec) -> Self {
        let rate = spec
            .codecs
            .iter()
            .find(|codec| codec.codec.is_video() == spec.kind.is_video())
            .map_or(90_000, |codec| codec.codec.clock_rate());
        Self {
            id: spec.source,
            kind: spec.kind,
            owner,
            layers: (0..spec.layers()).map(|_| Layer::new(rate)).collect(),
            watchers: Vec::new(),
            aimed_at: 0,
        }
    }

    /// When the last packet of any layer came.
    pub(crate) fn last_packet(&self) -> Option<Micros> {
        self.layers.iter().filter_map(Layer::last_packet).max()
    }

    /// What a choice of layer goes by.
    pub(crate) fn layer_states(&self, now: Micros) -> Vec<LayerState> {
        self.layers.iter().map(|layer| layer.state(now)).collect()
    }

    /// A bit for each living layer.
    pub(crate) fn living(&self, now: Micros) -> u8 {
        let bits = self.layers.iter().enumerate();
        bits.fold(0, |living, (at, layer)| {
            living | u8::from(layer.is_alive(now)) << at
        })
    }

    /// The layer that sends under this SSRC.
    pub(crate) fn layer_of(&mut self, ssrc: Ssrc) -> Option<&mut Layer> {
        self.layers
            .iter_mut()
            .find(|layer| layer.ssrc() == Some(ssrc))
    }
}
