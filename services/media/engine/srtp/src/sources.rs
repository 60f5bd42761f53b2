//! State for each SSRC of a session, in bounded number.

use salon_wire::rtp::Ssrc;

/// A map sorted by SSRC: a session has some tens, so a search touches one or two cache lines of keys.
#[derive(Debug)]
pub(crate) struct Sources<T> {
    ssrcs: Vec<Ssrc>,
    states: Vec<T>,
    max: usize,
}

/// There were as many as the session may have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<T> Sources<T> {
    pub(crate) const fn new(max: usize) -> Self {
        Self {
            ssrcs: Vec::new(),
            states: Vec::new(),
            max,
        }
    }

    pub(crate) fn find(&mut self, ssrc: Ssrc) -> Option<&mut T> {
        let at = self.ssrcs.binary_search(&ssrc).ok()?;
        self.states.get_mut(at)
    }

    /// Whether a new SSRC would be taken.
    pub(crate) fn check_room(&self) -> Result<(), Full> {
        if self.ssrcs.len() < self.max {
            Ok(())
        } else {
            Err(Full)
        }
    }

    /// Set the state of an SSRC.
    pub(crate) fn insert(&mut self, ssrc: Ssrc, state: T) -> Result<(), Full> {
        match self.ssrcs.binary_search(&ssrc) {
            Ok(at) => self.states[at] = state,
            Err(at) => {
                self.check_room()?;
                self.ssrcs.insert(at, ssrc);
                self.states.insert(at, state);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_as_many_as_it_may() {
        let mut sources = Sources::new(2);
        assert_eq!(sources.insert(Ssrc(9), 'a'), Ok(()));
        assert_eq!(sources.insert(Ssrc(3), 'b'), Ok(()));
        assert_eq!(sources.insert(Ssrc(5), 'c'), Err(Full));
        assert_eq!(sources.insert(Ssrc(9), 'd'), Ok(()));
        assert_eq!(sources.find(Ssrc(9)), Some(&mut 'd'));
        assert_eq!(sources.find(Ssrc(3)), Some(&mut 'b'));
        assert_eq!(sources.find(Ssrc(5)), None);
    }
}
