//! Pages that people want at hand beside a thing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::db::Subject;
use crate::revisions::normal::{distinct, exchanged, one_line, too_long, too_many};
use crate::revisions::{Aspect, Merged, Problem, merge};

pub const MOST_LINKS: usize = 50;
pub const LONGEST_LABEL: usize = 200;
pub const LONGEST_URL: usize = 2_000;

/// Pages that people want to have at hand beside a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Links(pub Vec<PageLink>);

/// A page somewhere, and what people call it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PageLink {
    /// Empty for the host of the address.
    pub label: String,
    /// Of `http` or `https`.
    pub url: String,
}

impl Aspect for Links {
    const NAME: &'static str = "links";
    const ACTION: &'static str = "links_revised";

    fn normalized(self) -> Self {
        let links = self.0.into_iter().map(PageLink::normalized);
        let links = links.filter(|link| *link != PageLink::default()).collect();
        Self(distinct(links, PageLink::clone))
    }

    fn problems(&self, _: Subject, _: DateTime<Utc>) -> Vec<Problem> {
        let each = self.0.iter().flat_map(PageLink::problems);
        let each = each.map(|problem| Problem::new("links", problem.text));
        too_many("links", "links", self.0.len(), MOST_LINKS)
            .into_iter()
            .chain(each)
            .collect()
    }

    fn merge(base: &Self, theirs: &Self, mine: &Self) -> Merged<Self> {
        Merged::cleanly(Self(merge::elements(
            &base.0,
            &theirs.0,
            &mine.0,
            PageLink::clone,
        )))
    }

    fn describe_change(before: &Self, after: &Self) -> Vec<String> {
        let (out, added) = exchanged(&before.0, &after.0, PageLink::clone);
        let told = |link: &PageLink| format!("“{}” ({})", link.label, link.url);
        let linked = added
            .iter()
            .map(|link| format!("A link was added: {}.", told(link)));
        let unlinked = out
            .iter()
            .map(|link| format!("A link was taken out: {}.", told(link)));
        linked.chain(unlinked).collect()
    }
}

impl PageLink {
    fn normalized(self) -> Self {
        let url = self.url.trim();
        let parsed = Url::parse(url).ok();
        let label = match (one_line(&self.label), &parsed) {
            (label, Some(parsed)) if label.is_empty() => {
                parsed.host_str().unwrap_or_default().to_owned()
            }
            (label, _) => label,
        };
        Self {
            label,
            url: parsed.map_or_else(|| url.to_owned(), String::from),
        }
    }

    /// Lists what is wrong with its `label` and its `url`.
    pub fn problems(&self) -> Vec<Problem> {
        let beginning: String = self.url.chars().take(80).collect();
        let web = Url::parse(&self.url)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let problem = if self.url.chars().count() > LONGEST_URL {
            Some(format!(
                "The address “{beginning}…” is longer than {LONGEST_URL} characters."
            ))
        } else if web {
            None
        } else {
            Some(format!(
                "“{beginning}” is no address of a page: write it with https:// or http:// in front."
            ))
        };
        let label = too_long("label", "A link's label", &self.label, LONGEST_LABEL);
        problem
            .map(|text| Problem::new("url", text))
            .into_iter()
            .chain(label)
            .collect()
    }
}
