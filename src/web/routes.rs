//! The site map: every address, what answers there, and who may ask.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::guard;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Responder, Route, middleware as actix};

use super::aspects::form::Form as _;
use super::failure::Failure;
use super::{access, api, aspects, health, middleware, pages, rate, statics};
use crate::auth::Permission::{
    self, Ask, Describe, ManageOwnAccount, ManagePeople, Read, ReadAudit, Restrict, RunRecipe,
};
use crate::catalog::human::{ColumnDescription, for_each_aspect};

/// One line of the site map.
pub struct Site {
    pub method: Method,
    /// The address, with `{names}` for what varies.
    pub pattern: &'static str,
    /// Whether asking costs so much that one client may not do it without end.
    pub costly: bool,
    pub entry: Entry,
    route: Route,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Nothing of the catalog is told, and nobody is asked who they are.
    Everybody,
    /// Who asks is known if they say so, as where people sign in.
    Anybody,
    /// Those who have this permission, somewhere at least.
    With(Permission),
}

/// Who may ask for what at one address, by method.
#[derive(Debug, Clone)]
pub(super) struct Entries {
    by_method: HashMap<Method, Entry>,
    /// For a method that no route has; the answer is a refusal, which tells nothing.
    otherwise: Entry,
}

impl Entries {
    /// Open to anybody by any method.
    fn anybody() -> Self {
        Self {
            by_method: HashMap::new(),
            otherwise: Entry::Anybody,
        }
    }

    /// Whom a method is open to.
    pub(super) fn of(&self, method: &Method) -> Entry {
        let method = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        self.by_method
            .get(method)
            .copied()
            .unwrap_or(self.otherwise)
    }
}

/// The whole site.
pub fn all() -> Vec<Site> {
    let parts = [
        reading(),
        editing(),
        restricting(),
        ingesting(),
        people(),
        ways_in(),
        api(),
        aspects(),
        signs_of_life(),
    ];
    parts.into_iter().flatten().collect()
}

/// The addresses of the pages that people read, ways in aside.
static PAGES: LazyLock<Vec<ResourceDef>> = LazyLock::new(|| {
    let parts = [reading(), editing(), restricting(), ingesting(), people()];
    let sites = parts.into_iter().flatten();
    let pages = sites.filter(|site| site.method == Method::GET);
    pages.map(|page| ResourceDef::new(page.pattern)).collect()
});

/// Tells whether a browser that is sent to this path finds a page there.
pub(super) fn is_page(path: &str) -> bool {
    PAGES.iter().any(|page| page.is_match(path))
}

/// Finding and reading.
fn reading() -> Vec<Site> {
    vec![
        get("/", Read, pages::home::show),
        costly(get("/search", Read, pages::search::show)),
        costly(get("/search/suggest", Read, pages::offers::suggest)),
        costly(get("/palette", Read, pages::palette::show)),
        get("/browse", Read, pages::browse::show),
        get(
            "/browse/{platform}/{instance}",
            Read,
            pages::browse::instance,
        ),
        get("/changes", Read, pages::change_list::show),
        get("/changes/{id}", Read, pages::change_list::show_batch),
        costly(get("/changes.atom", Read, pages::change_feed::show)),
        get("/assets/{id}", Read, pages::assets::show),
        get("/assets/{id}/preview", Read, pages::preview::show),
        get("/assets/{id}/history", Read, pages::assets::history),
        get("/assets/{id}/history/{number}", Read, pages::change::show),
        get("/assets/{id}/columns", Read, pages::columns::show),
        get(
            "/assets/{id}/columns/{column}",
            Read,
            pages::columns::show_one,
        ),
    ]
}

/// Writing what people say.
fn editing() -> Vec<Site> {
    vec![
        post(
            "/assets/{id}/history/{number}/restore",
            Describe,
            aspects::restore::restore,
        ),
        get("/assets/{id}/edit/{aspect}", Describe, aspects::edit::show),
        post("/assets/{id}/edit/{aspect}", Describe, aspects::edit::save),
        get(
            "/assets/{id}/columns/{column}/edit",
            Describe,
            aspects::edit::show_column,
        ),
        post(
            "/assets/{id}/columns/{column}/edit",
            Describe,
            aspects::edit::save_column,
        ),
        post(
            "/assets/{id}/columns/{column}/move",
            Describe,
            aspects::edit::move_column,
        ),
        post(
            "/assets/{id}/edit/{aspect}/undo",
            Describe,
            aspects::undo::undo,
        ),
        post(
            "/assets/{id}/columns/{column}/edit/undo",
            Describe,
            aspects::undo::undo_column,
        ),
        get("/requests", Describe, pages::requests::list),
        get("/requests/searches", Describe, pages::missed::list),
        costly(post("/requests/searches", Ask, pages::missed::tell)),
        post(
            "/requests/searches/dismiss",
            Describe,
            pages::missed::dismiss,
        ),
        costly(post("/assets/{id}/requests", Ask, pages::requests::ask)),
        post(
            "/assets/{id}/requests/dismiss",
            Describe,
            pages::requests::dismiss,
        ),
        get("/pick/assets", Describe, pages::picking::assets),
        get("/pick/owners", Describe, pages::picking::owners),
        get("/pick/tags", Describe, pages::picking::tags),
        get("/pick/databases", Read, pages::picking::databases),
        get("/pick/scopes", ManagePeople, pages::picking::scopes),
        costly(post("/preview", Describe, aspects::edit::preview)),
    ]
}

/// Deciding who sees what.
fn restricting() -> Vec<Site> {
    vec![
        get("/restricted", Restrict, pages::restrictions::list),
        get(
            "/assets/{id}/restriction",
            Restrict,
            pages::restrictions::of_database,
        ),
        post(
            "/assets/{id}/restriction",
            Restrict,
            pages::restrictions::change_database,
        ),
        get(
            "/browse/{platform}/{instance}/restriction",
            Restrict,
            pages::restrictions::of_source,
        ),
        post(
            "/browse/{platform}/{instance}/restriction",
            Restrict,
            pages::restrictions::change_source,
        ),
    ]
}

/// Recipes and their runs.
fn ingesting() -> Vec<Site> {
    vec![
        get("/ingestion", Read, pages::ingestion::show),
        get("/ingestion/recipes/{name}", Read, pages::ingestion::recipe),
        costly(post(
            "/ingestion/recipes/{name}/runs",
            RunRecipe,
            pages::ingestion::start_run,
        )),
        get("/ingestion/runs", Read, pages::ingestion::runs),
        get("/ingestion/runs/{id}", Read, pages::ingestion::run),
    ]
}

/// Looking after people, and what they did.
fn people() -> Vec<Site> {
    vec![
        get("/profile", ManageOwnAccount, pages::profile::show),
        own("/profile/name", pages::profile::rename),
        own("/profile/password", pages::profile::change_password),
        own("/profile/sessions/end", pages::profile::end_others),
        own("/profile/sessions/{id}/end", pages::profile::end_session),
        get("/profile/tokens", ManageOwnAccount, pages::tokens::show),
        own("/profile/tokens", pages::tokens::make),
        own("/profile/tokens/{id}/revoke", pages::tokens::revoke),
        get("/people", ManagePeople, pages::people::list),
        manage("/people", pages::people::invite),
        get("/people/{id}", ManagePeople, pages::people::show),
        manage("/people/{id}/name", pages::people::rename),
        manage("/people/{id}/role", pages::people::change_role),
        manage("/people/{id}/lock", pages::people::lock),
        manage("/people/{id}/unlock", pages::people::unlock),
        manage("/people/{id}/link", pages::people::make_link),
        manage("/people/{id}/teams", pages::people::join),
        manage("/people/{id}/teams/{team}/leave", pages::people::leave),
        manage(
            "/people/{id}/sessions/{session}/end",
            pages::people::end_session,
        ),
        manage("/people/{id}/tokens", pages::people::make_token),
        manage(
            "/people/{id}/tokens/{token}/revoke",
            pages::people::revoke_token,
        ),
        get("/teams", ManagePeople, pages::teams::list),
        manage("/teams", pages::teams::create),
        get("/teams/{id}", ManagePeople, pages::teams::show),
        manage("/teams/{id}/members", pages::teams::add),
        manage("/teams/{id}/members/{account}/remove", pages::teams::remove),
        get("/sign-in-check", ManagePeople, pages::sign_in_check::show),
        manage("/sign-in-check", pages::sign_in_check::check),
        get("/audit", ReadAudit, pages::audit::show),
        costly(get(
            "/audit/export.csv",
            ReadAudit,
            pages::audit::export_csv,
        )),
        costly(get(
            "/audit/export.jsonl",
            ReadAudit,
            pages::audit::export_json_lines,
        )),
        get("/profile/link", ManageOwnAccount, pages::oidc::link),
    ]
}

/// Signing in and out.
fn ways_in() -> Vec<Site> {
    vec![
        way_in(open("/sign-in", pages::sign_in::show)),
        way_in(post("/sign-in", Read, pages::sign_in::sign_in)),
        way_in(costly(open("/sign-in/oidc", pages::oidc::begin))),
        way_in(open("/sign-in/oidc/callback", pages::oidc::finish)),
        way_in(post("/sign-in/demo", Read, pages::sign_in::sign_in_to_demo)),
        post("/sign-out", ManageOwnAccount, pages::sign_in::sign_out),
        way_in(open("/set-up", pages::set_up::show_set_up)),
        way_in(post("/set-up", Read, pages::set_up::set_up)),
        way_in(open("/choose-password", pages::set_up::show_choose)),
        way_in(post("/choose-password", Read, pages::set_up::choose)),
    ]
}

macro_rules! calls {
    ($($field:ident: $aspect:ty),+ $(,)?) => {
        /// Writing aspects, for programs.
        fn aspects() -> Vec<Site> {
            vec![
                $(put(<$aspect>::API_PATH, Describe, aspects::api::put::<$aspect>),)+
                put(
                    ColumnDescription::API_PATH,
                    Describe,
                    aspects::api::put_column_description,
                ),
            ]
        }
    };
}

for_each_aspect!(calls);

/// The same for programs.
fn api() -> Vec<Site> {
    vec![
        costly(get("/api/v1/search", Read, api::search)),
        costly(get("/api/v1/assets", Read, api::list)),
        get("/api/v1/assets/{id}", Read, api::show),
        costly(get("/api/v1/assets/{id}/history", Read, api::history)),
        costly(get(
            "/api/v1/assets/{id}/history/{number}",
            Read,
            api::show_change,
        )),
        post(
            "/api/v1/assets/{id}/history/{number}/restore",
            Describe,
            aspects::restore::post_restore,
        ),
        costly(get("/api/v1/requests", Describe, api::list_requests)),
        costly(get("/api/v1/searches", Describe, api::list_missed)),
        costly(put("/api/v1/searches", Ask, api::put_missed)),
        put(
            "/api/v1/searches/dismissal",
            Describe,
            api::put_missed_dismissal,
        ),
        costly(put("/api/v1/assets/{id}/request", Ask, api::put_request)),
        put(
            "/api/v1/assets/{id}/request/dismissal",
            Describe,
            api::put_dismissal,
        ),
        costly(get("/api/v1/databases", Read, api::list_databases)),
        costly(get("/api/v1/changes", Read, api::list_changes)),
        costly(get("/api/v1/changes/{id}", Read, api::show_batch)),
        costly(get("/api/v1/recipes", Read, api::list_recipes)),
        costly(post(
            "/api/v1/recipes/{name}/runs",
            RunRecipe,
            api::start_run,
        )),
        costly(get("/api/v1/runs", Read, api::list_runs)),
        get("/api/v1/runs/{id}", Read, api::show_run),
        costly(get("/api/v1/runs/{id}/findings", Read, api::list_findings)),
        costly(get(
            "/api/v1/runs/{id}/databases",
            Read,
            api::list_databases_of_run,
        )),
        costly(get("/api/v1/audit", ReadAudit, api::list_audit)),
    ]
}

/// What says nothing of the catalog.
fn signs_of_life() -> Vec<Site> {
    vec![
        open("/api/openapi.json", api::describe),
        open("/metrics", health::numbers),
        open("/healthz", health::alive),
        open("/readyz", health::ready),
        open("/static/{path:.*}", statics::show),
    ]
}

/// Something to read.
fn get<F, Args>(pattern: &'static str, permission: Permission, handler: F) -> Site
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    Site {
        entry: Entry::With(permission),
        ..open(pattern, handler)
    }
}

/// Something to read that says nothing of the catalog.
fn open<F, Args>(pattern: &'static str, handler: F) -> Site
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    Site {
        method: Method::GET,
        pattern,
        costly: false,
        entry: Entry::Everybody,
        route: web::route()
            .guard(guard::Any(guard::Get()).or(guard::Head()))
            .to(handler),
    }
}

/// Something to do with one's own account.
fn own<F, Args>(pattern: &'static str, handler: F) -> Site
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    post(pattern, ManageOwnAccount, handler)
}

/// Something to do with people.
fn manage<F, Args>(pattern: &'static str, handler: F) -> Site
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    post(pattern, ManagePeople, handler)
}

/// Something to do.
fn post<F, Args>(pattern: &'static str, permission: Permission, handler: F) -> Site
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    unsafe_method(Method::POST, pattern, permission, handler)
}

/// Something to put in the place of what is there.
fn put<F, Args>(pattern: &'static str, permission: Permission, handler: F) -> Site
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    unsafe_method(Method::PUT, pattern, permission, handler)
}

fn unsafe_method<F, Args>(
    method: Method,
    pattern: &'static str,
    permission: Permission,
    handler: F,
) -> Site
where
    F: Handler<Args, Output: Responder + 'static>,
    Args: FromRequest + 'static,
{
    Site {
        pattern,
        costly: false,
        entry: Entry::With(permission),
        route: web::method(method.clone()).to(handler),
        method,
    }
}

/// A way in, which is open to anybody.
fn way_in(site: Site) -> Site {
    Site {
        entry: Entry::Anybody,
        ..site
    }
}

/// Something that costs much: how often one client may ask is limited.
fn costly(site: Site) -> Site {
    Site {
        costly: true,
        route: site.route.wrap(actix::from_fn(rate::charge)),
        ..site
    }
}

/// Puts the site map into an application.
pub(super) fn configure(config: &mut ServiceConfig) {
    let mut by_pattern: BTreeMap<&str, Vec<Site>> = BTreeMap::new();
    for site in all() {
        by_pattern.entry(site.pattern).or_default().push(site);
    }
    for (pattern, sites) in by_pattern {
        let allow = allowed_methods(&sites);
        let entries = sites.iter().map(|site| (site.method.clone(), site.entry));
        let mut resource = web::resource(pattern).app_data(Entries {
            by_method: entries.collect(),
            otherwise: Entry::Anybody,
        });
        for site in sites {
            resource = resource.route(site.route);
        }
        let refusal = web::to(move || {
            std::future::ready(Err::<String, _>(Failure::method_not_allowed(&allow)))
        });
        config.service(
            resource
                .default_service(refusal)
                .wrap(actix::from_fn(access::guard))
                .wrap(actix::from_fn(middleware::catch)),
        );
    }
    // Whoever is lost is still told who they are signed in as.
    let nowhere = || async { Err::<String, _>(Failure::of_status(StatusCode::NOT_FOUND)) };
    config.service(
        web::resource("/{nowhere:.*}")
            .app_data(Entries::anybody())
            .default_service(web::to(nowhere))
            .wrap(actix::from_fn(access::guard)),
    );
}

fn allowed_methods(sites: &[Site]) -> String {
    let words: Vec<&str> = sites
        .iter()
        .flat_map(|site| match site.method {
            Method::GET => vec!["GET", "HEAD"],
            ref other => vec![other.as_str()],
        })
        .collect();
    words.join(", ")
}
