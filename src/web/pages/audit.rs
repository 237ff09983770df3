//! What happened, who did it and in which request: for admins.

use actix_web::body::BoxBody;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, Responder};
use async_stream::try_stream;
use chrono::{SecondsFormat, Utc};
use serde::Serialize;

use super::parts::{More, name, name_of};
use crate::audit::{self, Filter, Line, Record, Thing, Topic};
use crate::auth::{AccountId, Actor, TeamId};
use crate::catalog::AssetId;
use crate::catalog::groups::RunChanges;
use crate::db::{Db, Page as ListPage, PageRequest};
use crate::web::api::AuditShape;
use crate::web::auditing::{self, FILTERS, harmless};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::text::{Moment, Shortened, count};
use crate::web::view::{Page, Refusal, Section, View};

/// So many rows are on a page.
const ROWS: usize = 50;

/// So many rows of a file are read at once.
const ROWS_AT_ONCE: u64 = 100;

/// `GET /audit`: the log, newest first, as far as the filters let through.
pub(crate) async fn show(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Page<AuditPage>, Failure> {
    let page = parameters.page(ROWS)?;
    let filter = match auditing::filter(&db, &actor, &parameters).await {
        Ok(filter) => filter,
        Err(failure) => return Ok(Page(AuditPage::refused(&parameters, failure)?)),
    };
    let runs = parameters.switch("runs")? && filter.person.is_none();
    let of_one_thing = filter.things.is_some() || filter.action.is_some();
    let shown = match filter.topic {
        _ if of_one_thing => audit::list(&db, &actor, &filter, &page)
            .await?
            .map(Line::of),
        None | Some(Topic::Catalog) if runs => {
            audit::list_folded(&db, &actor, &filter, &page).await?
        }
        _ => {
            let filter = Filter {
                outside_runs: true,
                ..filter
            };
            audit::list(&db, &actor, &filter, &page)
                .await?
                .map(Line::of)
        }
    };
    Ok(Page(AuditPage::new(&parameters, &shown)))
}

/// `GET /audit/export.csv`: the same rows as a file for a spreadsheet, without an end.
pub(crate) async fn export_csv(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Export, Failure> {
    Export::begin(db, actor, &parameters, Format::Csv).await
}

/// `GET /audit/export.jsonl`: the same rows as a file of JSON lines, without an end.
pub(crate) async fn export_json_lines(
    db: Data<Db>,
    actor: Actor,
    parameters: Parameters,
) -> Result<Export, Failure> {
    Export::begin(db, actor, &parameters, Format::JsonLines).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }

    fn write(self, records: Vec<Record>) -> std::io::Result<Bytes> {
        match self {
            Self::Csv => csv_lines(records.into_iter().map(|record| csv_row(&record))),
            Self::JsonLines => {
                let mut lines = Vec::new();
                for record in records {
                    serde_json::to_writer(&mut lines, &AuditShape::from(record))?;
                    lines.push(b'\n');
                }
                Ok(lines.into())
            }
        }
    }
}

/// A file that is read from the log and sent page by page, so that it may be of any length.
pub(crate) struct Export {
    db: Data<Db>,
    actor: Actor,
    filter: Filter,
    format: Format,
    first: ListPage<Record>,
}

impl Export {
    /// Reads the first page, so that a refusal is still a whole answer.
    async fn begin(
        db: Data<Db>,
        actor: Actor,
        parameters: &Parameters,
        format: Format,
    ) -> Result<Self, Failure> {
        let filter = auditing::filter(&db, &actor, parameters).await?;
        let page = PageRequest::first(ROWS_AT_ONCE);
        let first = audit::list(&db, &actor, &filter, &page).await?;
        Ok(Self {
            db,
            actor,
            filter,
            format,
            first,
        })
    }
}

impl Responder for Export {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let today = Utc::now().format("%Y-%m-%d");
        let file = format!("gazetteer-audit-{today}.{}", self.format.ending());
        let Self {
            db,
            actor,
            filter,
            format,
            first,
        } = self;
        let lines = try_stream! {
            if format == Format::Csv {
                yield csv_lines(std::iter::once(CSV_HEADINGS.map(str::to_owned)))?;
            }
            let mut page = first;
            loop {
                let next = page.next.take();
                let records = page.items;
                let lines = db.apart().run(move || format.write(records)).await;
                yield lines.map_err(std::io::Error::other)??;
                let Some(after) = next else { break };
                let request = PageRequest::new(Some(after), ROWS_AT_ONCE);
                // An end that comes too early breaks the connection off, so that nobody takes a part for the whole.
                page = audit::list(&db, &actor, &filter, &request)
                    .await
                    .map_err(std::io::Error::other)?;
            }
        };
        let lines: std::pin::Pin<Box<dyn futures::Stream<Item = std::io::Result<Bytes>>>> =
            Box::pin(lines);
        HttpResponse::Ok()
            .content_type(format.content_type())
            .insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{file}\""),
            ))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .streaming(lines)
    }
}

const CSV_HEADINGS: [&str; 13] = [
    "number",
    "time",
    "actor_kind",
    "actor",
    "actor_id",
    "token",
    "thing_kind",
    "thing",
    "thing_id",
    "action",
    "what_happened",
    "request_id",
    "run_id",
];

fn csv_row(record: &Record) -> [String; 13] {
    let by = AuditShape::actor_of(&record.by);
    let text = |text: Option<String>| text.unwrap_or_default();
    [
        record.seq.to_string(),
        record.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        by.kind.to_owned(),
        text(by.name),
        text(record.actor_id.map(|id| id.to_string())),
        text(by.token),
        record.thing.kind.clone(),
        text(record.thing.name.clone()),
        record.thing.id.to_string(),
        record.action.clone(),
        record.sentences.join(" "),
        text(record.request.clone()),
        text(record.run.map(|run| run.to_string())),
    ]
    .map(|field| harmless(&field))
}

fn csv_lines<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> std::io::Result<Bytes> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    let lines = writer
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    Ok(lines.into())
}

/// What `templates/audit/index.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct AuditPage {
    action: String,
    person: String,
    thing: String,
    word: String,
    from: String,
    until: String,
    topics: Vec<Choice>,
    filtered: bool,
    /// Whether the list includes runs, one line each.
    runs: bool,
    rows: Vec<Row>,
    more: More,
    csv: String,
    json_lines: String,
    /// Why the filters cannot be used.
    refusal: Option<Refusal>,
}

/// A choice of a list in a form.
#[derive(Debug, Serialize)]
struct Choice {
    word: &'static str,
    label: &'static str,
    chosen: bool,
}

/// One row of the log.
#[derive(Debug, Serialize)]
struct Row {
    at: Moment,
    by: Shortened,
    by_href: Option<String>,
    thing: Shortened,
    thing_kind: String,
    thing_href: Option<String>,
    sentences: Vec<Shortened>,
    request: Option<String>,
    run_href: Option<String>,
}

impl View for AuditPage {
    const TEMPLATE: &'static str = "audit/index";

    fn title(&self) -> &'static str {
        "Audit"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Audit)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl AuditPage {
    fn new(parameters: &Parameters, page: &ListPage<Line>) -> Self {
        let address = |path: &str, after: &str| {
            let filters = FILTERS.map(|name| (name, parameters.text(name).trim()));
            links::with_query(path, filters.into_iter().chain([("after", after)]))
        };
        let topic = parameters.text("topic");
        let text = |name| parameters.text(name).to_owned();
        Self {
            action: links::audit(),
            person: text("person"),
            thing: text("thing"),
            word: text("action"),
            from: text("from"),
            until: text("until"),
            topics: Topic::ALL
                .map(|choice| Choice {
                    word: choice.as_str(),
                    label: label_of(choice),
                    chosen: choice.as_str() == topic,
                })
                .into(),
            filtered: FILTERS.iter().any(|name| !parameters.text(name).is_empty()),
            runs: matches!(parameters.text("runs"), "1" | "true"),
            rows: page.items.iter().map(Row::of).collect(),
            more: More::of(page, "Show earlier", |after| {
                address(&links::audit(), after.as_str())
            }),
            csv: address(&links::audit_export("csv"), ""),
            json_lines: address(&links::audit_export("jsonl"), ""),
            refusal: None,
        }
    }

    /// The form again, with what is wrong in it.
    fn refused(parameters: &Parameters, failure: Failure) -> Result<Self, Failure> {
        let trouble = failure.refusal_of_a_form()?;
        let nothing = ListPage {
            items: Vec::new(),
            next: None,
        };
        Ok(Self {
            refusal: Some(Refusal::of_all(&[trouble])),
            ..Self::new(parameters, &nothing)
        })
    }
}

fn label_of(topic: Topic) -> &'static str {
    match topic {
        Topic::SignIns => "Sign-ins",
        Topic::People => "People and teams",
        Topic::Tokens => "Tokens",
        Topic::Restrictions => "Restrictions",
        Topic::Runs => "Runs",
        Topic::Catalog => "Catalog",
    }
}

impl Row {
    fn of(line: &Line) -> Self {
        match line {
            Line::Row(record) => Self::new(record),
            Line::Run { changes, recipe } => Self::of_run(changes, recipe.as_deref()),
        }
    }

    /// All that a run did, in one line.
    fn of_run(changes: &RunChanges, recipe: Option<&str>) -> Self {
        let counts = &changes.counts;
        let told = [
            (counts.removed, "removed"),
            (counts.changed, "changed"),
            (counts.new, "new"),
        ];
        let told = told.into_iter().filter(|(many, _)| *many > 0);
        let told: Vec<String> = told.map(|(many, word)| count(many, word, word)).collect();
        let told = if told.is_empty() {
            "Only databases changed.".to_owned()
        } else {
            format!("{}.", told.join(", "))
        };
        let recipe = recipe.unwrap_or("a recipe");
        Self {
            at: Moment::of(changes.at),
            by: name(&format!("recipe {recipe}")),
            by_href: None,
            thing: name(recipe),
            thing_kind: "run".to_owned(),
            thing_href: Some(links::run(changes.run)),
            sentences: vec![sentence(&told)],
            request: None,
            run_href: Some(links::batch(changes.run, "", "")),
        }
    }

    fn new(record: &Record) -> Self {
        let thing = &record.thing;
        let unnamed = match thing.kind.as_str() {
            "account" if thing.id.is_nil() => "an unknown name".to_owned(),
            kind => format!("{kind} {}", thing.id),
        };
        Self {
            at: Moment::of(record.at),
            by: name(&record.by.to_string()),
            by_href: record.actor_id.map(links::person),
            thing: name(thing.name.as_deref().unwrap_or(&unnamed)),
            thing_kind: thing.kind.clone(),
            thing_href: href_of(thing),
            sentences: record.sentences.iter().map(|text| sentence(text)).collect(),
            request: record.request.clone(),
            run_href: record.run.map(links::run),
        }
    }
}

fn sentence(text: &str) -> Shortened {
    name_of(400, text)
}

fn href_of(thing: &Thing) -> Option<String> {
    thing.name.as_ref()?;
    match thing.kind.as_str() {
        "account" => Some(links::person(AccountId(thing.id))),
        "team" => Some(links::team(TeamId(thing.id))),
        "token" => thing.owner.map(links::person),
        "asset" => Some(links::asset(AssetId(thing.id))),
        "run" => Some(links::run(thing.id)),
        _ => None,
    }
}
