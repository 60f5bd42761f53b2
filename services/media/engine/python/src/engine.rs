//! `Engine`.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use salon_forward::{SourceId, Wish};
use salon_node::{Command, MediaKeys, Node, NodeConfig, SessionNumber};
use salon_srtp::Profile;

use crate::events::to_tuple;
use crate::specs::PySession;

/// A datagram that is longer than this does not leave the port.
const MAX_DTLS: usize = 2048;
/// More wishes than a client can have slots are refused.
const MAX_WISHES: usize = 64;

/// Binds and starts the engine thread.
#[pyclass(module = "_salon_media", frozen)]
pub(crate) struct Engine {
    node: Mutex<Node>,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (address, port, *, silent_after = 8.0, seed = None))]
    fn new(address: &str, port: u16, silent_after: f64, seed: Option<u64>) -> PyResult<Self> {
        let address: IpAddr = address
            .parse()
            .map_err(|_| PyOSError::new_err(format!("{address:?} is not an IP address")))?;
        let silent_after = Duration::try_from_secs_f64(silent_after)
            .map_err(|_| PyValueError::new_err("silent_after: must be a time in seconds"))?;
        let config = NodeConfig {
            bind: SocketAddr::new(address, port),
            silent_after,
            // The hasher's keys come from the system's randomness.
            seed: seed.unwrap_or_else(|| RandomState::new().hash_one(0)),
        };
        Ok(Self {
            node: Mutex::new(Node::start(config)?),
        })
    }

    #[getter]
    fn port(&self) -> u16 {
        self.node().address().port()
    }

    /// Readable while events wait; `take_events` clears it.
    #[getter]
    fn event_fd(&self) -> i32 {
        self.node().events().readable().as_raw_fd()
    }

    /// Await the client's checks.
    fn open_session(&self, spec: PySession) -> PyResult<()> {
        let spec = Box::new(spec.into_spec()?);
        self.node().command(Command::Open(spec));
        Ok(())
    }

    /// Forget a session; unknown ones are ignored.
    fn close_session(&self, session: u64) {
        self.node().command(Command::Close(SessionNumber(session)));
    }

    /// SRTP keys after DTLS.
    fn set_keys(
        &self,
        session: u64,
        profile: u16,
        client_key: &[u8],
        client_salt: &[u8],
        node_key: &[u8],
        node_salt: &[u8],
    ) -> PyResult<()> {
        let profile = Profile::from_iana(profile)
            .ok_or_else(|| PyValueError::new_err("profile: must be 1, 7 or 8"))?;
        let client = (client_key, client_salt);
        let keys = MediaKeys::new(profile, client, (node_key, node_salt))
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        let session = SessionNumber(session);
        self.node()
            .command(Command::SetKeys(session, Box::new(keys)));
        Ok(())
    }

    fn send_dtls(&self, session: u64, datagram: &[u8]) -> PyResult<()> {
        if datagram.is_empty() || datagram.len() > MAX_DTLS {
            let problem = format!("datagram: must have 1 to {MAX_DTLS} bytes");
            return Err(PyValueError::new_err(problem));
        }
        let session = SessionNumber(session);
        self.node()
            .command(Command::SendDtls(session, datagram.into()));
        Ok(())
    }

    /// (slot index, source number, max height) for the video slots; slots not named show nothing.
    fn set_layout(&self, session: u64, wishes: Vec<(u32, u32, u32)>) -> PyResult<()> {
        if wishes.len() > MAX_WISHES {
            let problem = format!("wishes: must be at most {MAX_WISHES}");
            return Err(PyValueError::new_err(problem));
        }
        let wishes = wishes
            .into_iter()
            // An index that no slot can have, and a source of number 0, are no wishes.
            .filter_map(|(slot, source, max_height)| {
                Some(Wish {
                    slot: u8::try_from(slot).ok()?,
                    source: Some(SourceId(source)).filter(|source| source.0 != 0)?,
                    max_height,
                })
            })
            .collect();
        let session = SessionNumber(session);
        self.node().command(Command::SetLayout(session, wishes));
        Ok(())
    }

    fn take_events(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let events = self.node().events().take();
        events
            .into_iter()
            .map(|event| to_tuple(py, event))
            .collect()
    }

    /// Whether the engine's thread runs.
    #[getter]
    fn alive(&self) -> bool {
        self.node().is_running()
    }

    /// Since the start, by name.
    fn counters(&self) -> HashMap<&'static str, u64> {
        self.node().metrics().all().collect()
    }

    /// End the thread and close the port. Idempotent.
    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.node().stop());
    }
}

impl Engine {
    /// Held for as long as it takes to queue a command, and to wait for the end in `stop`.
    fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
