//! places
use crate::*;
use salon_forward::*;
#[derive(Debug)]
pub(crate) struct Places;
impl Places {
    pub(crate) fn new(_: u64) -> Self {
        Self
    }
    pub(crate) fn join(
        &mut self,
        _: u64,
        _: SessionNumber,
        _: MemberSpec,
    ) -> Result<(), SpecError> {
        Ok(())
    }
    pub(crate) fn leave(&mut self, _: u64, _: SessionNumber) {}
}
