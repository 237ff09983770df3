//! The index: opening it, searching it, following the change log.
