//! Flags, whom they are on for, and their events.
