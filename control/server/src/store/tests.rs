// Rows and sentences follow.
