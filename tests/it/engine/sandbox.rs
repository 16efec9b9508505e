//! The flows of this repository against the sandbox.
