//! The protobuf form of snapshots and reports, and its door to the model.
