//! Writing what people say of an asset.
