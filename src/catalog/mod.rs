//! The catalog: assets, what their sources say of them, what people say of them, and how both changed.

mod asset;

pub use asset::{
    Address, Alias, AssetId, AssetKind, Column, Discovered, Facts, LinkTarget, Listing,
    OutwardLink, SourceLayer, Storage, UnknownKind, View,
};
