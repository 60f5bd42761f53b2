//! Whether a client is heard, and whether it hears us.

use salon_forward::Micros;

/// A client takes a second without a packet for a dead node; loss may take several in a row.
const SIGN: Micros = 200_000;
/// Handshake and data channel need some tens of datagrams a second.
const DTLS_A_SECOND: u64 = 200;
const DTLS_BURST: u64 = 200;

/// What the owner sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LifeConfig {
    /// Nothing authentic for this long is silence.
    pub(crate) silent_after: Micros,
}

/// One session's signs of life.
#[derive(Debug)]
pub(crate) struct Life {
    config: LifeConfig,
    heard: Micros,
    /// Whether nobody knows if the client is still there.
    doubted: bool,
    silence_told: bool,
    sent: Micros,
    /// DTLS datagrams that may still come in, in millionths.
    dtls_credit: u64,
    dtls_seen: Micros,
}

impl Life {
    pub(crate) const fn new(config: LifeConfig, now: Micros) -> Self {
        Self {
            config,
            heard: now,
            doubted: false,
            silence_told: false,
            sent: now,
            dtls_credit: DTLS_BURST * 1_000_000,
            dtls_seen: now,
        }
    }

    /// Something authentic came.
    pub(crate) const fn heard(&mut self, now: Micros) {
        self.heard = now;
        self.doubted = false;
        self.silence_told = false;
    }

    /// The client may have gone unnoticed: that it is still there has to be heard.
    pub(crate) const fn doubt(&mut self) {
        self.doubted = true;
    }

    pub(crate) const fn is_doubted(&self) -> bool {
        self.doubted
    }

    /// Something was sent that a browser counts as received.
    pub(crate) const fn sent(&mut self, now: Micros) {
        self.sent = now;
    }

    pub(crate) const fn sign_is_due(&self, now: Micros) -> bool {
        now >= self.sent + SIGN
    }

    /// Whether silence begins now: told once.
    pub(crate) const fn falls_silent(&mut self, now: Micros) -> bool {
        let falls = !self.silence_told && now >= self.heard + self.config.silent_after;
        self.silence_told |= falls;
        falls
    }

    /// Whether another DTLS datagram may come in.
    pub(crate) fn admit_dtls(&mut self, now: Micros) -> bool {
        let earned = now.saturating_sub(self.dtls_seen) * DTLS_A_SECOND;
        self.dtls_seen = now;
        self.dtls_credit = (self.dtls_credit + earned).min(DTLS_BURST * 1_000_000);
        match self.dtls_credit.checked_sub(1_000_000) {
            Some(rest) => {
                self.dtls_credit = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: LifeConfig = LifeConfig {
        silent_after: 8_000_000,
    };

    #[test]
    fn silence_is_told_once_and_again_after_a_sound() {
        let mut life = Life::new(CONFIG, 0);
        assert!(!life.falls_silent(7_999_999));
        assert!(life.falls_silent(8_000_000));
        assert!(!life.falls_silent(9_000_000));
        life.heard(9_000_000);
        assert!(!life.falls_silent(16_999_999));
        assert!(life.falls_silent(17_000_000));
    }

    #[test]
    fn a_doubt_ends_with_a_sound() {
        let mut life = Life::new(CONFIG, 0);
        assert!(!life.is_doubted());
        life.doubt();
        assert!(life.is_doubted());
        life.heard(1);
        assert!(!life.is_doubted());
    }

    #[test]
    fn a_sign_is_due_when_nothing_was_sent() {
        let mut life = Life::new(CONFIG, 0);
        assert!(!life.sign_is_due(199_999));
        assert!(life.sign_is_due(200_000));
        life.sent(200_000);
        assert!(!life.sign_is_due(399_999));
    }

    #[test]
    fn a_flood_of_dtls_is_cut_to_its_rate() {
        let mut life = Life::new(CONFIG, 0);
        let admitted = (0..10_000).filter(|_| life.admit_dtls(0)).count();
        assert_eq!(admitted as u64, DTLS_BURST);
        assert!(!life.admit_dtls(4_999));
        assert!(life.admit_dtls(5_000));
        let later = (0..10_000).filter(|_| life.admit_dtls(500_000)).count();
        assert_eq!(later, 99);
    }
}
