//! The forms for whether somebody vouches for an asset, and whether people are told to use something else.

use super::super::picking::{find_asset, name_beside};
use super::form::{Field, Form, Input, Term, Wrong, lines_of};
use crate::catalog::human::{Deprecation, Verification};
use crate::catalog::{self, Asset, AssetId};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;
use chrono::{Months, NaiveDate, Utc};

/// The button that takes an aspect back as a whole.
const REMOVE: &str = "remove";

/// How long a verification may hold, each by one click.
const TERMS: [Term; 3] = [
    Term {
        months: 3,
        label: "3 months",
    },
    Term {
        months: 6,
        label: "6 months",
    },
    Term {
        months: 12,
        label: "1 year",
    },
];

/// For so long somebody vouches for an asset, unless they choose another day.
const USUAL: Months = Months::new(6);

impl Form for Verification {
    const HINT: &'static str = "Mark as verified until a date. Your name is shown.";
    const SHOWN_AT: &'static str = "state";

    fn title(&self) -> String {
        "Verify".to_owned()
    }

    fn verb(&self) -> &'static str {
        if self.until.is_some() {
            "Save"
        } else {
            "Verify"
        }
    }

    fn removal(&self) -> Option<&'static str> {
        self.until.map(|_| "Remove verification")
    }

    /// Where nobody vouches, or not any more, the usual day is offered.
    fn offered(&self, today: NaiveDate) -> Self {
        let holds = self.until.filter(|until| *until >= today);
        Self {
            until: holds.or_else(|| today.checked_add_months(USUAL)),
        }
    }

    async fn input(&self, _: &Editor, _: &Asset) -> Result<Input, Failure> {
        Ok(until(day_text(self.until)))
    }

    fn typed(sent: &Parameters) -> Input {
        until(sent.text("until").to_owned())
    }

    async fn read(sent: &Parameters, _: &Editor, _: &Asset) -> Result<(Self, Vec<Wrong>), Failure> {
        if sent.text("do") == REMOVE {
            return Ok((Self::default(), Vec::new()));
        }
        let months: u32 = sent.text("months").parse().unwrap_or_default();
        if TERMS.iter().any(|term| term.months == months) {
            let until = Utc::now()
                .date_naive()
                .checked_add_months(Months::new(months));
            return Ok((Self { until }, Vec::new()));
        }
        let (until, wrong) = day("until", sent.text("until"));
        Ok((Self { until }, wrong.into_iter().collect()))
    }

    fn lines(&self) -> Vec<String> {
        vec![match self.until {
            Some(until) => format!("Verified until {until}"),
            None => "Not verified".to_owned(),
        }]
    }
}

fn until(until: String) -> Input {
    Input::Until {
        until: Field::new("until", until),
        today: Utc::now().date_naive().to_string(),
        terms: TERMS.into(),
    }
}

impl Form for Deprecation {
    const HINT: &'static str = "Tell people what to use instead. It will rank lower in search.";
    const SHOWN_AT: &'static str = "state";

    fn title(&self) -> String {
        "Deprecate".to_owned()
    }

    fn verb(&self) -> &'static str {
        if self.since.is_some() {
            "Save"
        } else {
            "Deprecate"
        }
    }

    fn removal(&self) -> Option<&'static str> {
        self.since.map(|_| "Remove deprecation")
    }

    /// Whoever opens the form means yes, from today on.
    fn offered(&self, today: NaiveDate) -> Self {
        let since = self.since.or(Some(today));
        Self {
            since,
            ..self.clone()
        }
    }

    fn field_of(field: &'static str) -> &'static str {
        match field {
            "note" => "text",
            other => other,
        }
    }

    async fn input(&self, editor: &Editor, asset: &Asset) -> Result<Input, Failure> {
        let replacement = match self.replacement {
            Some(id) => match catalog::find_asset(&editor.db, editor.actor.sight(), id).await {
                Ok(replacement) => name_beside(id, &replacement.address, &asset.address),
                Err(catalog::Error::UnknownAsset) => id.to_string(),
                Err(error) => return Err(error.into()),
            },
            None => String::new(),
        };
        Ok(deprecation([
            &day_text(self.since),
            &replacement,
            &self.note,
        ]))
    }

    fn typed(sent: &Parameters) -> Input {
        deprecation(["since", "replacement", "text"].map(|name| sent.text(name)))
    }

    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Wrong>), Failure> {
        if sent.text("do") == REMOVE {
            return Ok((Self::default(), Vec::new()));
        }
        let (since, wrong) = day("since", sent.text("since"));
        let (replacement, unknown) =
            find_replacement(editor, asset, sent.text("replacement")).await?;
        let deprecation = Self {
            since: since.or(Some(Utc::now().date_naive())),
            note: sent.text("text").to_owned(),
            replacement,
        };
        Ok((deprecation, wrong.into_iter().chain(unknown).collect()))
    }

    fn lines(&self) -> Vec<String> {
        match self.since {
            Some(since) => {
                let replacement = self.replacement.map(|id| format!("Use instead: {id}"));
                let first = format!("Deprecated from {since} on");
                std::iter::once(first)
                    .chain(replacement)
                    .chain(lines_of(&self.note))
                    .collect()
            }
            None => vec!["Not deprecated".to_owned()],
        }
    }
}

fn deprecation([since, replacement, text]: [&str; 3]) -> Input {
    Input::Deprecation {
        pick_href: links::pick("assets"),
        since: Field::new("since", since),
        replacement: Field::new("replacement", replacement),
        text: Field::new("text", text),
    }
}

/// Finds what is to be used instead.
async fn find_replacement(
    editor: &Editor,
    asset: &Asset,
    typed: &str,
) -> Result<(Option<AssetId>, Option<Wrong>), Failure> {
    if typed.trim().is_empty() {
        return Ok((None, None));
    }
    Ok(match find_asset(editor, &asset.address, typed).await? {
        Ok(id) => (Some(id), None),
        Err(text) => (None, Some(Wrong::new("replacement", text))),
    })
}

fn day_text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

fn day(field: &'static str, typed: &str) -> (Option<NaiveDate>, Option<Wrong>) {
    let typed = typed.trim();
    if typed.is_empty() {
        return (None, None);
    }
    if let Ok(day) = typed.parse() {
        return (Some(day), None);
    }
    let text = format!("“{typed}” is no day: write it as 2027-01-31.");
    (None, Some(Wrong::new(field, text)))
}
