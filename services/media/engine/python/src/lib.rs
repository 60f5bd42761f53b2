//! The Python face of the engine.
use pyo3::prelude::*;

#[pymodule]
fn _salon_media(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
