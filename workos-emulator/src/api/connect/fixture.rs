//! What the tests of Connect begin with.
