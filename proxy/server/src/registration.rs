//! Tells control who is here, and keeps telling.

pub mod advertise;
pub mod offered;
pub mod stream;
pub mod controls;
pub mod report;
