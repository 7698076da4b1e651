//! Whole flows through real HTTP, an emulator each.

fn main() {}
