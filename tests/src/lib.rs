//! Whole-mesh tests with real processes, and the tidy test.
