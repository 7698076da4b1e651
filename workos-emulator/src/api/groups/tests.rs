//! Groups, their members, and what ends with what.
