//! What was just done, told at the edge of the window, with the way back. Knows nothing of what it was done to.

use serde::Serialize;

/// What `templates/part/toast.hbs` can show.
#[derive(Debug, Serialize)]
pub(in crate::web) struct Toast {
    text: &'static str,
    undo: Option<Undo>,
}

/// The button that takes it back.
#[derive(Debug, Serialize)]
struct Undo {
    action: String,
    /// The version that is taken back; a later one is left alone.
    version: i32,
}

impl Toast {
    pub(in crate::web) fn new(text: &'static str) -> Self {
        Self { text, undo: None }
    }

    pub(in crate::web) fn undone_by(mut self, action: String, version: i32) -> Self {
        self.undo = Some(Undo { action, version });
        self
    }
}
