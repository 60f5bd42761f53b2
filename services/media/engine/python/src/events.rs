//! Events as the tuples of the contract.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use salon_forward::{SlotChange, SourceId};
use salon_node::Event;

/// One event as its tuple.
pub(crate) fn to_tuple(py: Python<'_>, event: Event) -> PyResult<Py<PyAny>> {
    match event {
        Event::Dtls(session, datagram) => {
            ("dtls", session.0, PyBytes::new(py, &datagram)).into_py_any(py)
        }
        Event::Selected(session) => ("selected", session.0).into_py_any(py),
        Event::Silent(session) => ("silent", session.0).into_py_any(py),
        Event::Slots(session, changes) => {
            let changes: Vec<_> = changes.iter().map(assignment).collect();
            ("slots", session.0, changes).into_py_any(py)
        }
        Event::Speakers(room, heard, dominant) => {
            let heard: Vec<_> = heard.iter().map(|source| source.0).collect();
            ("speakers", room, heard, number(dominant)).into_py_any(py)
        }
        Event::Failed(room) => ("failed", room).into_py_any(py),
    }
}

fn assignment(change: &SlotChange) -> (u32, u8, u32, u32) {
    (
        change.kind as u32,
        change.index,
        number(change.source),
        change.first_timestamp,
    )
}

/// 0 stands for nobody.
fn number(source: Option<SourceId>) -> u32 {
    source.map_or(0, |source| source.0)
}
