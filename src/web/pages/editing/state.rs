//! The forms for whether somebody vouches for an asset, and whether people are told to use something else.

use chrono::{Months, NaiveDate, Utc};
use uuid::Uuid;

use super::form::{Field, Form, Input, Wrong, lines_of};
use crate::catalog::human::{Deprecation, Verification};
use crate::catalog::{self, Address, Asset, AssetId};
use crate::web::failure::Failure;
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::saving::Editor;

/// For so long somebody vouches for an asset, unless they choose another day.
const USUAL: Months = Months::new(6);

impl Form for Verification {
    const HINT: &'static str =
        "Vouch for it until a day on which somebody looks again. Your name stands beside it.";
    const SHOWN_AT: &'static str = "state";

    fn title(&self) -> String {
        "Verify".to_owned()
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
    }
}

impl Form for Deprecation {
    const HINT: &'static str = "Tell people to use something else. It then comes later in search.";
    const SHOWN_AT: &'static str = "state";

    fn title(&self) -> String {
        "Deprecate".to_owned()
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
                Ok(replacement) => name_beside(&replacement, asset),
                Err(catalog::Error::UnknownAsset) => id.to_string(),
                Err(error) => return Err(error.into()),
            },
            None => String::new(),
        };
        Ok(deprecation(
            self.since.is_some(),
            [&day_text(self.since), &replacement, &self.note],
        ))
    }

    fn typed(sent: &Parameters) -> Input {
        deprecation(
            !sent.text("deprecated").is_empty(),
            ["since", "replacement", "text"].map(|name| sent.text(name)),
        )
    }

    async fn read(
        sent: &Parameters,
        editor: &Editor,
        asset: &Asset,
    ) -> Result<(Self, Vec<Wrong>), Failure> {
        if sent.text("deprecated").is_empty() {
            let wrongs = filled_in_vain(sent, editor, asset).await?;
            return Ok((Self::default(), wrongs));
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

fn deprecation(deprecated: bool, [since, replacement, text]: [&str; 3]) -> Input {
    Input::Deprecation {
        deprecated,
        since: Field::new("since", since),
        replacement: Field::new("replacement", replacement),
        text: Field::new("text", text),
    }
}

/// Refuses what somebody filled in beside a box that is not ticked. What the form had offered by itself does not count.
async fn filled_in_vain(
    sent: &Parameters,
    editor: &Editor,
    asset: &Asset,
) -> Result<Vec<Wrong>, Failure> {
    let today = Utc::now().date_naive();
    let offered = asset.human.deprecation.content.offered(today);
    let mut offered = offered.input(editor, asset).await?;
    let mut typed = Deprecation::typed(sent);
    let text = |field: &Field| field.text.replace("\r\n", "\n").trim().to_owned();
    let pairs = typed.fields().into_iter().zip(offered.fields());
    let filled = pairs.filter(|(typed, offered)| {
        let typed = text(typed);
        !typed.is_empty() && typed != text(offered)
    });
    Ok(filled
        .map(|(typed, _)| {
            Wrong::new(
                typed.name.clone(),
                "“It is deprecated” is not ticked, so this would not be kept: tick it, or empty the field.",
            )
        })
        .collect())
}

/// A name by which [`find_replacement`] finds it again from another asset.
fn name_beside(replacement: &Asset, asset: &Asset) -> String {
    let (one, other) = (&replacement.address, &asset.address);
    let plain = one.path.iter().all(|name| !name.contains(['.', '/']));
    if plain && (&one.platform, &one.instance) == (&other.platform, &other.instance) {
        one.path.join(".")
    } else {
        links::asset(replacement.id)
    }
}

/// Finds what is to be used instead: by its id or address here, or by its name within the same source.
async fn find_replacement(
    editor: &Editor,
    asset: &Asset,
    typed: &str,
) -> Result<(Option<AssetId>, Option<Wrong>), Failure> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok((None, None));
    }
    let last = typed.rsplit('/').next().unwrap_or(typed);
    if let Ok(id) = last.parse::<Uuid>() {
        return Ok((Some(AssetId(id)), None));
    }
    let address = Address {
        path: typed.split('.').map(str::to_owned).collect(),
        ..asset.address.clone()
    };
    let found = catalog::find_at(&editor.db, editor.actor.sight(), &[&address]).await?;
    let found = found.into_values().next();
    let wrong = found.is_none().then(|| {
        let text = format!(
            "There is no “{typed}” in the same source: write database.table, or the address of its page here."
        );
        Wrong::new("replacement", text)
    });
    Ok((found, wrong))
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
