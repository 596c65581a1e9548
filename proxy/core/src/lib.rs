//! Every decision of the proxy, as pure functions.
