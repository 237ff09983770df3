//! Views and how they become HTML.
//!
//! A view is everything that one template can show, ready to be shown. Templates are embedded, read once at the start,
//! and strict: a name that the view does not have is an error.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, Responder};
use chrono::Utc;
use handlebars::Handlebars;
use rust_embed::RustEmbed;
use serde::Serialize;

use super::access;
use super::failure::{Failure, status_of};
use super::links;
use super::request::RequestId;
use super::server::Error;
use super::statics::Statics;
use crate::auth::sessions::SignedIn;
use crate::auth::{Actor, Permission};
use crate::error::{Explain, Kind};
use crate::search::{FILTER_WORDS, FilterWord};

/// What one template of `templates/` can show.
pub(crate) trait View: Serialize {
    /// The template's path below `templates/`, without `.hbs`.
    const TEMPLATE: &'static str;

    /// The template for a script that puts the answer into the page that is open; nothing where it gets the whole page.
    const PART: Option<&'static str> = None;

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
    fn refusal(&self) -> Option<&Refusal> {
        None
    }
}

/// Why a form is shown again, as `templates/part/refusal.hbs` shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Refusal {
    text: String,
    hint: Option<&'static str>,
    #[serde(skip)]
    kind: Kind,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn of(error: &impl Explain) -> Self {
        let kind = error.kind();
        let (text, hint) = match kind {
            Kind::Storage(storage) => (storage.sentence().to_owned(), Some(storage.hint())),
            _ => (error.to_string(), error.hint()),
        };
        Self {
            text,
            hint,
            kind,
            retry_after: error.retry_after(),
        }
    }

    /// Everything that is wrong with a form, a sentence each.
    pub(crate) fn of_all(problems: &[String]) -> Self {
        Self {
            text: problems.join(" "),
            hint: None,
            kind: Kind::Invalid,
            retry_after: None,
        }
    }
}

/// Who reads a page, and in which request.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) request_id: String,
    /// The address that was asked for.
    pub(super) here: String,
    pub(super) signed_in: Option<Arc<SignedIn>>,
    /// Whether a script puts the answer into the page that is open.
    in_place: bool,
}

/// Tells whether a script asks, to put the answer into the page that is open.
pub(super) fn is_in_place(request: &HttpRequest) -> bool {
    request.headers().contains_key("HX-Request")
}

impl Reader {
    pub(super) fn of(request: &HttpRequest) -> Self {
        Self {
            request_id: RequestId::of(request).as_str().to_owned(),
            here: links::here(request.uri()),
            signed_in: access::signed_in(request),
            in_place: is_in_place(request),
        }
    }
}

/// The corner of every page that says who is signed in.
#[derive(Debug, Serialize)]
struct PersonMenu<'a> {
    label: &'a str,
    name: &'a str,
    entries: Vec<Entry>,
    sign_out_action: String,
}

impl<'a> PersonMenu<'a> {
    fn of(signed_in: &'a SignedIn, current: Option<Section>) -> Self {
        let requests = signed_in.actor.may(Permission::Describe);
        let requests = requests.then_some(Section::Requests);
        let entries = requests
            .into_iter()
            .chain(Section::settings_of(signed_in))
            .map(|section| Entry::of(section, current));
        Self {
            label: signed_in.account.label(),
            name: &signed_in.account.name,
            entries: entries.collect(),
            sign_out_action: links::sign_out(),
        }
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
    Changes,
    Ingestion,
    /// What people ask stewards to describe.
    Requests,
    /// One's own account.
    Profile,
    /// One's own tokens.
    Tokens,
    People,
    Teams,
    Restricted,
    Audit,
    SignInCheck,
    /// Where people sign in; nothing of the catalog is offered there.
    WayIn,
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
    const LISTED: [Self; 3] = [Self::Browse, Self::Changes, Self::Ingestion];

    /// The pages about accounts and access, with what each takes.
    const SETTINGS: [(Self, Permission); 7] = [
        (Self::Profile, Permission::ManageOwnAccount),
        (Self::Tokens, Permission::ManageOwnAccount),
        (Self::People, Permission::ManagePeople),
        (Self::Teams, Permission::ManagePeople),
        (Self::Restricted, Permission::Restrict),
        (Self::SignInCheck, Permission::ManagePeople),
        (Self::Audit, Permission::ReadAudit),
    ];

    /// Those of the settings that somebody may open.
    fn settings_of(signed_in: &SignedIn) -> impl Iterator<Item = Self> {
        let offered = Self::SETTINGS.into_iter();
        let opens = |(_, permission): &(Self, Permission)| signed_in.actor.may(*permission);
        offered.filter(opens).map(|(section, _)| section)
    }

    fn is_in_settings(self) -> bool {
        let mut settings = Self::SETTINGS.iter();
        settings.any(|(section, _)| *section == self)
    }

    fn label(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Search => "Search",
            Self::Browse => "Browse",
            Self::Changes => "Changes",
            Self::Ingestion => "Ingestion",
            Self::Requests => "Requests",
            Self::Profile => "Profile",
            Self::Tokens => "Tokens",
            Self::People => "People",
            Self::Teams => "Teams",
            Self::Restricted => "Access",
            Self::Audit => "Audit",
            Self::SignInCheck => "Sign-in check",
            Self::WayIn => "Sign in",
        }
    }

    fn href(self) -> String {
        match self {
            Self::Home => links::home(),
            Self::Search => links::search([]),
            Self::Browse => links::browse(),
            Self::Changes => links::changes([]),
            Self::Ingestion => links::ingestion(),
            Self::Requests => links::requests(),
            Self::Profile => links::profile(),
            Self::Tokens => links::profile_part("tokens"),
            Self::People => links::people(),
            Self::Teams => links::teams(),
            Self::Restricted => links::restricted(),
            Self::Audit => links::audit(),
            Self::SignInCheck => links::sign_in_check(),
            Self::WayIn => links::sign_in(""),
        }
    }
}

/// The pages that somebody may open from anywhere, with their names.
pub(super) fn pages_of(actor: &Actor) -> Vec<(&'static str, String)> {
    let personal = Section::SETTINGS.into_iter();
    let personal = personal.filter(|(_, permission)| actor.may(*permission));
    let everybody = [Section::Home, Section::Search].into_iter();
    let all = everybody
        .chain(Section::LISTED)
        .chain(personal.map(|(section, _)| section));
    all.map(|section| (section.label(), section.href()))
        .collect()
}

/// What every page has, in every template as `layout`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each switches a part of the page on"
)]
#[derive(Debug, Serialize)]
struct Layout<'a> {
    /// The tab's text, with the product's name in it.
    title: String,
    navigation: Vec<Entry>,
    /// On the start page, which has a search box of its own.
    at_home: bool,
    /// Where the page has a search box of its own, or there is nothing to search yet.
    without_search: bool,
    refreshes: bool,
    search_text: &'a str,
    kept: &'a [Kept],
    /// The words that filter, as the search box explains them.
    filters: Vec<FilterHelp>,
    /// What a file of `static/` begins with: `{{layout.assets}}/app.css`. Changes with the files.
    assets: String,
    /// Addresses by their names.
    to: links::Places,
    request_id: &'a str,
    version: &'static str,
    person: Option<PersonMenu<'a>>,
    /// On the pages of the settings: all of them.
    settings: Vec<Entry>,
    /// Where somebody who has not signed in does, coming back here.
    sign_in_href: String,
    /// What paper says of where and when it was printed.
    printed: String,
    /// On the pages where people sign in, which need no way there.
    signing_in: bool,
}

#[derive(Debug, Serialize)]
struct FilterHelp {
    word: &'static str,
    meaning: &'static str,
    href: String,
}

impl From<&FilterWord> for FilterHelp {
    fn from(filter: &FilterWord) -> Self {
        Self {
            word: filter.word,
            meaning: filter.meaning,
            href: links::search([("q", format!("{}:", filter.word).as_str())]),
        }
    }
}

#[derive(Debug, Serialize)]
struct Entry {
    label: &'static str,
    href: String,
    current: bool,
}

impl Entry {
    fn of(section: Section, current: Option<Section>) -> Self {
        Self {
            label: section.label(),
            href: section.href(),
            current: current == Some(section),
        }
    }
}

impl<'a> Layout<'a> {
    fn of<V: View>(view: &'a V, files: &str, reader: &'a Reader) -> Self {
        let entry = |section: Section| Entry::of(section, view.section());
        Self {
            title: match view.title() {
                "" => "Gazetteer".to_owned(),
                title => format!("{title} · Gazetteer"),
            },
            navigation: Section::LISTED.map(entry).into(),
            at_home: view.section() == Some(Section::Home),
            without_search: matches!(view.section(), Some(Section::Home | Section::WayIn)),
            refreshes: view.refreshes(),
            kept: view.kept(),
            filters: FILTER_WORDS.iter().map(FilterHelp::from).collect(),
            search_text: view.search_text(),
            assets: links::files(files),
            to: links::Places::all(),
            request_id: &reader.request_id,
            version: env!("CARGO_PKG_VERSION"),
            person: reader
                .signed_in
                .as_deref()
                .map(|signed_in| PersonMenu::of(signed_in, view.section())),
            settings: settings(view.section(), reader.signed_in.as_deref()),
            sign_in_href: links::sign_in(&reader.here),
            printed: format!("{} · {}", reader.here, Utc::now().format("%-d %B %Y")),
            signing_in: view.section() == Some(Section::WayIn),
        }
    }
}

/// The settings beside a page that is one of them.
fn settings(current: Option<Section>, signed_in: Option<&SignedIn>) -> Vec<Entry> {
    let (Some(section), Some(signed_in)) = (current, signed_in) else {
        return Vec::new();
    };
    if !section.is_in_settings() {
        return Vec::new();
    }
    let entries = Section::settings_of(signed_in);
    entries.map(|entry| Entry::of(entry, current)).collect()
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
    /// The version of the files of `static/`.
    files: String,
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
            files: statics.version().to_owned(),
        })
    }

    pub(super) fn render<V: View>(&self, view: &V, reader: &Reader) -> Result<String, Failure> {
        let layout = Layout::of(view, &self.files, reader);
        let part = V::PART.filter(|_| reader.in_place);
        self.handlebars
            .render(part.unwrap_or(V::TEMPLATE), &Whole { layout, view })
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
        let html = match templates.render(&self.0, &Reader::of(request)) {
            Ok(html) => html,
            Err(failure) => return HttpResponse::from_error(failure),
        };
        note_rendering(V::TEMPLATE, started.elapsed());
        let Some(refusal) = self.0.refusal() else {
            return html_response(actix_web::http::StatusCode::OK, html);
        };
        let mut response = html_response(status_of(refusal.kind), html);
        if let Some(wait) = refusal.retry_after {
            let seconds = HeaderValue::from(wait.as_secs());
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
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

/// Answers with a page that shows a secret, this once: no browser keeps it.
#[derive(Debug)]
pub(crate) struct Once<V>(pub(crate) V);

impl<V: View> Responder for Once<V> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = Page(self.0).respond_to(request);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Sends the browser on to the page that shows what a form has done.
#[derive(Debug)]
pub(crate) struct SeeOther(pub(crate) String);

impl Responder for SeeOther {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, self.0))
            .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
            .finish()
    }
}
