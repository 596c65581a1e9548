//! Every decision of control, as pure functions.
