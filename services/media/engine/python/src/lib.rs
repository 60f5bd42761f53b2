//! The Python face of the engine: `_salon_media`, whose contract is `_salon_media.pyi`.
//!
//! Owns nothing but translation: attributes of specs into the engine's types, events into tuples, errors into
//! exceptions. The engine's thread never takes the GIL.
#![deny(unsafe_code)]

mod engine;
mod events;
mod specs;

use pyo3::prelude::*;

#[pymodule]
fn _salon_media(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<engine::Engine>()
}
