//! Forms as a browser reads them from a page: where they go, their fields, and what each holds.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as the tests do"
)]

use scraper::{ElementRef, Html, Selector};

/// A form of a page.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    /// In lower case.
    pub(crate) method: String,
    pub(crate) action: String,
    pub(crate) fields: Vec<Field>,
}

/// One control of a form; radio buttons and boxes of one name are one field each.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// What it holds, or what it sends if it is chosen.
    pub(crate) value: String,
    /// Whether it is sent as it is.
    pub(crate) sent: bool,
}

/// Every form of a page, in order.
pub(crate) fn forms(page: &Html, address: &str) -> Vec<Form> {
    let forms = Selector::parse("form").unwrap();
    let forms = page.select(&forms);
    let forms = forms.filter(|form| form.value().attr("method") != Some("dialog"));
    forms.map(|form| Form::read(form, address)).collect()
}

impl Form {
    fn read(form: ElementRef<'_>, address: &str) -> Self {
        let controls = Selector::parse("input[name], textarea[name], select[name], button[name]");
        let controls = controls.unwrap();
        let here = address.split(['?', '#']).next().unwrap();
        Self {
            method: form.value().attr("method").unwrap_or("get").to_lowercase(),
            action: form.value().attr("action").unwrap_or(here).to_owned(),
            fields: form.select(&controls).map(Field::read).collect(),
        }
    }

    /// What a browser sends when nothing is changed.
    pub(crate) fn untouched(&self) -> Vec<(String, String)> {
        let sent = self.fields.iter().filter(|field| field.sent);
        sent.map(|field| (field.name.clone(), field.value.clone()))
            .collect()
    }
}

impl Field {
    fn read(control: ElementRef<'_>) -> Self {
        let element = control.value();
        let kind = match element.name() {
            "input" => element.attr("type").unwrap_or("text"),
            other => other,
        };
        let value = match kind {
            "textarea" => control.text().collect(),
            "select" => chosen(control),
            _ => element.attr("value").unwrap_or_default().to_owned(),
        };
        let sent = match kind {
            "checkbox" | "radio" => element.attr("checked").is_some(),
            "button" => false,
            _ => true,
        };
        Self {
            name: element.attr("name").unwrap().to_owned(),
            kind: kind.to_owned(),
            value,
            sent,
        }
    }
}

fn chosen(select: ElementRef<'_>) -> String {
    let options = Selector::parse("option").unwrap();
    let options: Vec<_> = select.select(&options).collect();
    let chosen = options
        .iter()
        .find(|option| option.value().attr("selected").is_some());
    let option = chosen.or(options.first()).unwrap();
    let text = option.text().collect();
    option.value().attr("value").map_or(text, str::to_owned)
}
