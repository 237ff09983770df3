//! Views and how they become HTML.
//!
//! A view is everything that one template can show, ready to be shown. Templates are embedded, read once at the start,
//! and strict: a name that the view does not have is an error.

use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use handlebars::Handlebars;
use rust_embed::RustEmbed;
use serde::Serialize;

use super::failure::{Failure, status_of};
use super::links;
use super::request::RequestId;
use super::server::Error;
use super::statics::Statics;
use crate::error::Kind;

/// What one template of `templates/` can show.
pub(crate) trait View: Serialize {
    /// The template's path below `templates/`, without `.hbs`.
    const TEMPLATE: &'static str;

    /// What the browser's tab says before the product's name; empty for the name alone.
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "views lend their own text"
    )]
    fn title(&self) -> &str {
        ""
    }

    /// Which entry of the navigation is the current one.
    fn section(&self) -> Option<Section> {
        None
    }

    /// What stands in the search box.
    #[expect(
        clippy::unnecessary_literal_bound,
        reason = "views lend their own text"
    )]
    fn search_text(&self) -> &str {
        ""
    }

    /// What the search box sends beside the words: the choices made so far.
    fn kept(&self) -> &[Kept] {
        &[]
    }

    /// Whether the page shows something that goes on by itself, so that browsers ask again in a while.
    fn refreshes(&self) -> bool {
        false
    }

    /// For a form that is shown again: why it was refused.
    fn refusal(&self) -> Option<Kind> {
        None
    }
}

/// An entry of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// Reached by the product's name.
    Home,
    /// Reached by the search box.
    Search,
    Browse,
    Ingestion,
}

/// One parameter that the search box sends beside the words.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    name: &'static str,
    value: String,
}

impl From<(&'static str, &str)> for Kept {
    fn from((name, value): (&'static str, &str)) -> Self {
        let value = value.to_owned();
        Self { name, value }
    }
}

impl Section {
    /// Those that stand in the navigation.
    const LISTED: [Self; 2] = [Self::Browse, Self::Ingestion];

    fn label(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Search => "Search",
            Self::Browse => "Browse",
            Self::Ingestion => "Ingestion",
        }
    }

    fn href(self) -> String {
        match self {
            Self::Home => links::home(),
            Self::Search => links::search([]),
            Self::Browse => links::browse(),
            Self::Ingestion => links::ingestion(),
        }
    }
}

/// What every page has, in every template as `layout`.
#[derive(Debug, Serialize)]
struct Layout<'a> {
    /// The tab's text, with the product's name in it.
    title: String,
    navigation: Vec<Entry>,
    /// On the start page, which has a search box of its own.
    at_home: bool,
    refreshes: bool,
    search_text: &'a str,
    search_href: String,
    suggest_href: String,
    kept: &'a [Kept],
    /// What a file of `static/` begins with: `{{layout.assets}}/app.css`. Changes with the files.
    assets: &'a str,
    request_id: &'a str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct Entry {
    label: &'static str,
    href: String,
    current: bool,
}

impl<'a> Layout<'a> {
    fn of<V: View>(view: &'a V, assets: &'a str, request_id: &'a str) -> Self {
        let entry = |section: Section| Entry {
            label: section.label(),
            href: section.href(),
            current: view.section() == Some(section),
        };
        Self {
            title: match view.title() {
                "" => "Gazetteer".to_owned(),
                title => format!("{title} · Gazetteer"),
            },
            navigation: Section::LISTED.map(entry).into(),
            at_home: view.section() == Some(Section::Home),
            refreshes: view.refreshes(),
            kept: view.kept(),
            search_text: view.search_text(),
            search_href: links::search([]),
            suggest_href: links::suggest(),
            assets,
            request_id,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

#[derive(Serialize)]
struct Whole<'a, V> {
    layout: Layout<'a>,
    #[serde(flatten)]
    view: &'a V,
}

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/templates"]
#[include = "*.hbs"]
struct Embedded;

/// Every template, read and checked.
#[derive(Debug)]
pub(crate) struct Templates {
    handlebars: Handlebars<'static>,
    assets: String,
}

impl Templates {
    pub(super) fn load(statics: &Statics) -> Result<Self, Error> {
        let mut handlebars = Handlebars::new();
        handlebars.set_strict_mode(true);
        handlebars
            .register_embed_templates_with_extension::<Embedded>(".hbs")
            .map_err(|cause| Error::Template(Box::new(cause)))?;
        Ok(Self {
            handlebars,
            assets: statics.base(),
        })
    }

    pub(super) fn render<V: View>(&self, view: &V, request_id: &str) -> Result<String, Failure> {
        let layout = Layout::of(view, &self.assets, request_id);
        self.handlebars
            .render(V::TEMPLATE, &Whole { layout, view })
            .map_err(|cause| Failure::defect(&cause))
    }
}

/// Answers with a view as HTML: a page, or a part of one if its template leaves the layout out.
#[derive(Debug)]
pub(crate) struct Page<V>(pub(crate) V);

impl<V: View> Responder for Page<V> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let started = std::time::Instant::now();
        let templates = request
            .app_data::<Data<Templates>>()
            .expect("the server was given the templates");
        let html = match templates.render(&self.0, RequestId::of(request).as_str()) {
            Ok(html) => html,
            Err(failure) => return HttpResponse::from_error(failure),
        };
        note_rendering(V::TEMPLATE, started.elapsed());
        let status = self
            .0
            .refusal()
            .map_or(actix_web::http::StatusCode::OK, status_of);
        html_response(status, html)
    }
}

fn note_rendering(template: &'static str, took: Duration) {
    metrics::histogram!("gazetteer_render_seconds", "template" => template).record(took);
}

/// HTML that nobody but the reader's own browser keeps, and that is asked for anew each time.
pub(super) fn html_response(status: actix_web::http::StatusCode, html: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        ))
        // The same address answers a part of the page to htmx.
        .insert_header((header::VARY, HeaderValue::from_static("HX-Request")))
        .body(html)
}

/// Sends the browser on to the page that shows what a form has done.
#[derive(Debug)]
pub(crate) struct SeeOther(pub(crate) String);

impl Responder for SeeOther {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, self.0))
            .finish()
    }
}
