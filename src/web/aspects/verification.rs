//! The verification of an asset, in a form and in JSON.

use chrono::{Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::{Field, Form, Input, REMOVE, Term, Widget, Wrong};
use crate::catalog::Asset;
use crate::catalog::human::Verification;
use crate::web::failure::Failure;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

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

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct VerificationShape {
    /// The last day on which it holds; null when nobody vouches.
    #[schema(required = true)]
    until: Option<NaiveDate>,
}

impl From<Verification> for VerificationShape {
    fn from(verification: Verification) -> Self {
        Self {
            until: verification.until,
        }
    }
}

impl Form for Verification {
    type Shape = VerificationShape;

    const API_PATH: &'static str = "/api/v1/assets/{id}/verification";
    const SUMMARY: &'static str = "Until when an asset is verified";
    const EXAMPLE: &'static str = r#"{"until": "2027-01-31", "version": 0}"#;
    const DEED: Option<&'static str> = Some("Verify");
    const HINT: &'static str = "Mark as verified until a date. Your name is shown.";
    const SHOWN_AT: &'static str = "state";

    fn heading(&self) -> String {
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

    fn typed(sent: &Parameters, _: &Asset) -> Input {
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

    fn of_shape(shape: Self::Shape) -> Self {
        Self { until: shape.until }
    }

    fn lines(&self) -> Vec<String> {
        vec![match self.until {
            Some(until) => format!("Verified until {until}"),
            None => "Not verified".to_owned(),
        }]
    }
}

fn until(until: String) -> Input {
    Input::new(vec![
        Widget::Day {
            label: "Verified until",
            field: Field::new("until", until),
            from: Some(Utc::now().date_naive().to_string()),
        },
        Widget::Terms {
            label: "Or verify for",
            terms: TERMS.into(),
        },
    ])
}

pub(super) fn day_text(day: Option<NaiveDate>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

pub(super) fn day(field: &'static str, typed: &str) -> (Option<NaiveDate>, Option<Wrong>) {
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
