//! What a member wishes to see, and which simulcast layer serves that wish.

use crate::SourceId;

/// What one video slot should show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// The slot's index among the video slots.
    pub slot: u8,
    /// What to show.
    pub source: SourceId,
    /// How tall the tile is, in pixels.
    pub max_height: u32,
}

/// What is known of a layer, in the order of the offer, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LayerState {
    /// Whether packets of it come.
    pub(crate) alive: bool,
    /// From its last key frame.
    pub(crate) height: Option<u16>,
}

/// The tallest living layer that is not taller than the tile; the lowest living one when all are. Without a living
/// one there is nothing to wait for but the lowest.
pub(crate) fn choose_layer(layers: &[LayerState], max_height: u32) -> usize {
    let mut living = (0..layers.len()).filter(|&layer| layers[layer].alive);
    let lowest = living.next();
    living
        .filter(|&layer| height_of(layers, layer) <= max_height)
        .max_by_key(|&layer| height_of(layers, layer))
        .or(lowest)
        .unwrap_or(0)
}

/// The height, or a guess by the nearest layer below it that is known: each layer has twice the lines of the last.
fn height_of(layers: &[LayerState], layer: usize) -> u32 {
    const LOWEST: u32 = 180;
    let known = (0..=layer).rev().find_map(|below| {
        let height = layers[below].height?;
        Some(u32::from(height) << (layer - below))
    });
    known.unwrap_or(LOWEST << layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(heights: &[Option<u16>], alive: &[bool]) -> Vec<LayerState> {
        heights
            .iter()
            .zip(alive)
            .map(|(&height, &alive)| LayerState { alive, height })
            .collect()
    }

    #[test]
    fn the_tallest_that_fits_is_chosen() {
        let three = layers(&[Some(180), Some(360), Some(720)], &[true; 3]);
        let chosen = [90, 180, 359, 360, 719, 720, 2160].map(|max| choose_layer(&three, max));
        assert_eq!(chosen, [0, 0, 0, 1, 1, 2, 2]);
    }

    #[test]
    fn dead_layers_are_passed_over() {
        let heights = [Some(180), Some(360), Some(720)];
        assert_eq!(
            choose_layer(&layers(&heights, &[true, true, false]), 720),
            1
        );
        assert_eq!(
            choose_layer(&layers(&heights, &[false, false, true]), 180),
            2
        );
        assert_eq!(choose_layer(&layers(&heights, &[false; 3]), 720), 0);
    }

    #[test]
    fn unknown_heights_are_guessed_by_the_order() {
        assert_eq!(choose_layer(&layers(&[None; 3], &[true; 3]), 400), 1);
        let known = layers(&[Some(90), None, None], &[true; 3]);
        assert_eq!(choose_layer(&known, 360), 2);
    }

    #[test]
    fn a_single_layer_is_always_it() {
        assert_eq!(choose_layer(&layers(&[Some(1080)], &[true]), 90), 0);
    }
}
