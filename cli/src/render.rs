//! How answers look: aligned tables for people, JSON and YAML for scripts.

pub mod cell;
pub mod table;
pub mod form;
