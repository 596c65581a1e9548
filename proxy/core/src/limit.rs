//! How often calls may come, and which of them are refused when there is too much to do.

pub mod subject;
pub mod meter;
pub mod bucket;
pub mod window;
pub mod ledger;
pub mod pressure;
