//! Specs, read by their attributes.

use std::collections::HashMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use salon_forward::{
    Codec, CodecSpec, ExtensionIds, MemberSpec, SendSpec, SlotKind, SlotSpec, SourceId, SourceKind,
    SpecError,
};
use salon_node::{SessionNumber, SessionSpec};
use salon_wire::rtp::Ssrc;

#[derive(FromPyObject)]
struct PyCodec {
    payload_type: u8,
    name: String,
    clock_rate: u32,
    rtx_payload_type: Option<u8>,
}

#[derive(FromPyObject)]
struct PySend {
    source: u32,
    kind: u32,
    mid: String,
    rids: Vec<String>,
    ssrcs: Vec<(u32, Option<u32>)>,
    codecs: Vec<PyCodec>,
    extensions: HashMap<String, u8>,
}

#[derive(FromPyObject)]
struct PySlot {
    kind: u32,
    index: u8,
    ssrc: u32,
    codecs: Vec<PyCodec>,
}

/// `SessionSpec` of the contract. The slots' RTX SSRCs are not read: nothing is sent on them yet.
#[derive(FromPyObject)]
pub(crate) struct PySession {
    session: u64,
    room: u64,
    local_ufrag: String,
    local_pwd: String,
    remote_ufrag: String,
    cname: String,
    sends: Vec<PySend>,
    slots: Vec<PySlot>,
}

/// RFC 8839 section 5.4: at least 4 and 22 characters, at most 256.
const UFRAG: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;

impl PySession {
    /// The engine's spec, or a `ValueError` that says what contradicts itself.
    pub(crate) fn into_spec(self) -> PyResult<SessionSpec> {
        for (name, value, lengths) in [
            ("local_ufrag", &self.local_ufrag, UFRAG),
            ("local_pwd", &self.local_pwd, PASSWORD),
            ("remote_ufrag", &self.remote_ufrag, UFRAG),
        ] {
            if !lengths.contains(&value.len()) {
                let (least, most) = lengths.into_inner();
                let problem = format!("{name}: must have {least} to {most} characters");
                return Err(PyValueError::new_err(problem));
            }
        }
        let member = MemberSpec {
            cname: self.cname,
            sends: translate("sends", self.sends, send)?,
            slots: translate("slots", self.slots, slot)?,
        };
        member
            .check()
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(SessionSpec {
            session: SessionNumber(self.session),
            room: self.room,
            local_ufrag: self.local_ufrag,
            local_pwd: self.local_pwd,
            remote_ufrag: self.remote_ufrag,
            member,
        })
    }
}

fn translate<T, U>(
    field: &str,
    specs: Vec<T>,
    one: impl Fn(T) -> Result<U, SpecError>,
) -> PyResult<Vec<U>> {
    let numbered = specs.into_iter().enumerate();
    numbered
        .map(|(at, spec)| {
            one(spec).map_err(|error| PyValueError::new_err(format!("{field}[{at}]: {error}")))
        })
        .collect()
}

fn send(spec: PySend) -> Result<SendSpec, SpecError> {
    let mut extensions = ExtensionIds::default();
    for (uri, id) in &spec.extensions {
        extensions.set(uri, *id);
    }
    Ok(SendSpec {
        source: SourceId(spec.source),
        kind: SourceKind::try_from(spec.kind)?,
        mid: spec.mid,
        rids: spec.rids,
        ssrcs: spec
            .ssrcs
            .into_iter()
            .map(|(media, repair)| (Ssrc(media), repair.map(Ssrc)))
            .collect(),
        codecs: codecs(spec.codecs),
        extensions,
    })
}

fn slot(spec: PySlot) -> Result<SlotSpec, SpecError> {
    Ok(SlotSpec {
        kind: SlotKind::try_from(spec.kind)?,
        index: spec.index,
        ssrc: Ssrc(spec.ssrc),
        codecs: codecs(spec.codecs),
    })
}

/// The codecs that are forwarded; others are as if they were not there.
fn codecs(specs: Vec<PyCodec>) -> Vec<CodecSpec> {
    let known = |spec: &PyCodec| {
        Codec::named(&spec.name).filter(|codec| codec.clock_rate() == spec.clock_rate)
    };
    specs
        .into_iter()
        .filter_map(|spec| {
            Some(CodecSpec {
                codec: known(&spec)?,
                payload_type: spec.payload_type,
                rtx_payload_type: spec.rtx_payload_type,
            })
        })
        .collect()
}
