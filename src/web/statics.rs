//! Styles, scripts and fonts: embedded, and cached by browsers for as long as they do not change.
//!
//! All of them live below one address that has a digest of the whole folder in it, so that what they import from each
//! other by relative address is of the same version.

use std::borrow::Cow;
use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use super::failure::Failure;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/static"]
struct Embedded;

/// Every file of `static/`, by its path.
#[derive(Debug)]
pub(crate) struct Statics {
    files: BTreeMap<String, File>,
    version: String,
}

#[derive(Debug)]
struct File {
    bytes: Bytes,
    /// The quoted digest of the bytes.
    etag: String,
    content_type: &'static str,
}

impl Statics {
    pub(super) fn load() -> Self {
        let files: BTreeMap<String, File> = Embedded::iter()
            .filter_map(|path| {
                let content = Embedded::get(&path)?.data;
                Some((path.to_string(), File::new(&path, content)))
            })
            .collect();
        let mut all = blake3::Hasher::new();
        for (path, file) in &files {
            all.update(path.as_bytes()).update(file.etag.as_bytes());
        }
        let version = format!("v-{}", short(&all.finalize()));
        Self { files, version }
    }

    /// What the address of each file has in it, and changes with any of them.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Finds a file by what stands behind `/static/`; whether its address will always mean these bytes comes with it.
    fn find(&self, tail: &str) -> Option<(&File, bool)> {
        let (version, rest) = tail.split_once('/').unwrap_or(("", tail));
        let versioned = version.starts_with("v-");
        let path = if versioned { rest } else { tail };
        Some((self.files.get(path)?, version == self.version))
    }
}

impl File {
    fn new(path: &str, content: Cow<'static, [u8]>) -> Self {
        Self {
            etag: format!("\"{}\"", short(&blake3::hash(&content))),
            content_type: content_type_of(path),
            bytes: match content {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            },
        }
    }
}

fn short(digest: &blake3::Hash) -> String {
    digest.to_hex().chars().take(16).collect()
}

fn content_type_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" | "md" | "LICENSE" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// `GET /static/{path}`: one file.
pub(super) async fn show(
    statics: Data<Statics>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let (file, lasting) = statics
        .find(&path)
        .ok_or_else(|| Failure::not_found("There is no such file."))?;
    let caching = if lasting {
        "public, max-age=31536000, immutable"
    } else {
        "public, no-cache"
    };
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        // Compression on the way makes a tag weak.
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == file.etag));
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::ETAG, file.etag.as_str()));
    Ok(if known {
        response.finish()
    } else {
        response
            .content_type(file.content_type)
            .body(file.bytes.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statics() -> Statics {
        let file = File::new("css/app.css", Cow::Borrowed(b"a{}"));
        Statics {
            files: BTreeMap::from([("css/app.css".to_owned(), file)]),
            version: "v-1".to_owned(),
        }
    }

    #[test]
    fn only_the_current_version_lasts() {
        let statics = statics();
        let lasting = |tail: &str| statics.find(tail).map(|(_, lasting)| lasting);
        assert_eq!(lasting("v-1/css/app.css"), Some(true));
        assert_eq!(lasting("v-0/css/app.css"), Some(false));
        assert_eq!(lasting("css/app.css"), Some(false));
        assert_eq!(lasting("css/../css/app.css"), None);
        assert_eq!(lasting(""), None);
    }
}
