//! One asset as the index sees it.

use crate::catalog::{Address, AssetId, AssetKind, SourceLayer};

/// The texts of one asset, ready to be indexed.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) id: AssetId,
    pub(super) kind: AssetKind,
    pub(super) address: Address,
    pub(super) source: SourceLayer,
    pub(super) gone: bool,
    pub(super) description: Option<String>,
    pub(super) notes: Vec<(String, String)>,
}

impl Document {
    /// Takes from an asset what can be found.
    pub fn new(id: AssetId, kind: AssetKind, address: &Address, source: &SourceLayer) -> Self {
        Self {
            id,
            kind,
            address: address.clone(),
            source: source.clone(),
            gone: false,
            description: None,
            notes: Vec::new(),
        }
    }

    /// Says whether the source no longer lists it.
    pub fn gone(mut self, gone: bool) -> Self {
        self.gone = gone;
        self
    }

    /// Adds what people wrote about it.
    pub fn described(mut self, description: Option<&str>) -> Self {
        self.description = description.map(str::to_owned);
        self
    }

    /// Adds what people wrote about one of its columns.
    pub fn noted(mut self, path: &str, note: &str) -> Self {
        self.notes.push((path.to_owned(), note.to_owned()));
        self
    }
}
