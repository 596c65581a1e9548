//! The rules of the protocol, each by the number under which `docs/stock-clients.md` lists it.

use super::*;

mod harness;
mod sotw;
mod delta;
mod order;
mod fuzz;

use harness::{Client, Content, Place, Short, told};
