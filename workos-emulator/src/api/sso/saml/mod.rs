pub(crate) mod metadata;
