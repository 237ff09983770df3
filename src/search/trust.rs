//! How much an asset is worth beside others that fit a query as well: what people did for it, and in which layer it is.
//!
//! Names of layers are words of the field (raw, staging, mart), not of one company. They count only where the catalog
//! uses them as layers, which [`super::affixes`] learns. Trust orders hits within a stage and moves none to another.

use super::name::Shape;
use super::snapshot::Facts;

/// What a name or a database says about how finished its data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Layer {
    /// Somebody's trials and copies.
    Scratch = 1,
    /// As it came from elsewhere.
    Source = 2,
    /// On the way from there to what is used.
    Between = 3,
    #[default]
    Unknown = 4,
    /// Made to be used.
    Serving = 5,
}

/// The words of each layer, as warehouses commonly use them.
const LAYERS: [(Layer, &[&str]); 4] = [
    (
        Layer::Scratch,
        &[
            "backup",
            "bak",
            "bkp",
            "copy",
            "dev",
            "draft",
            "junk",
            "old",
            "playground",
            "sandbox",
            "scratch",
            "temp",
            "test",
            "testing",
            "tests",
            "tmp",
            "trash",
            "wip",
        ],
    ),
    (
        Layer::Source,
        &[
            "base",
            "bronze",
            "external",
            "ingest",
            "ingestion",
            "landing",
            "lz",
            "ods",
            "prep",
            "raw",
            "replica",
            "source",
            "sources",
            "src",
            "stage",
            "staging",
            "stg",
        ],
    ),
    (
        Layer::Between,
        &["int", "interim", "intermediate", "silver", "work", "wrk"],
    ),
    (
        Layer::Serving,
        &[
            "analytics",
            "curated",
            "datamart",
            "dim",
            "dimension",
            "dimensional",
            "fact",
            "fct",
            "gold",
            "mart",
            "marts",
            "presentation",
            "published",
            "report",
            "reporting",
            "reports",
            "rpt",
            "serving",
        ],
    ),
];

/// Words that say of what stands before them that it is not the thing itself.
const LESSER_ENDS: [&str; 12] = [
    "archive",
    "archived",
    "backup",
    "bak",
    "bkp",
    "copy",
    "deprecated",
    "old",
    "raw",
    "stg",
    "temp",
    "tmp",
];

impl Layer {
    /// The layer that a word names.
    pub(super) fn of(word: &str) -> Self {
        let named = LAYERS.iter().find(|(_, words)| words.contains(&word));
        named.map_or(Self::Unknown, |(layer, _)| *layer)
    }

    /// The layer that the last word of a name names, where that cannot be what the table is about.
    pub(super) fn of_end(word: &str) -> Self {
        match Self::of(word) {
            _ if !LESSER_ENDS.contains(&word) => Self::Unknown,
            Self::Source => Self::Source,
            _ => Self::Scratch,
        }
    }

    fn from_bits(bits: u32) -> Self {
        match bits & 7 {
            1 => Self::Scratch,
            2 => Self::Source,
            3 => Self::Between,
            5 => Self::Serving,
            _ => Self::Unknown,
        }
    }

    fn weight(self) -> f32 {
        match self {
            Self::Scratch => 0.4,
            Self::Source => 0.55,
            Self::Between => 0.8,
            Self::Unknown => 1.0,
            Self::Serving => 1.15,
        }
    }
}

/// What is known of an asset before anybody asks for it, small enough to be held for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signs(u32);

/// What speaks for an asset or against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Described = 1 << 14,
    Owned = 1 << 15,
    Tagged = 1 << 16,
    /// It stands for something elsewhere.
    Link = 1 << 17,
    /// Somebody counted its rows, and there are some.
    Counted = 1 << 18,
    /// It holds tables.
    Container = 1 << 19,
}

/// Days are counted from this one of the common era (2000-01-01), in what bits remain.
const FIRST_DAY: u32 = 730_120;
const DAYS: u32 = 20;
const MOST_DAYS: u32 = (1 << (32 - DAYS)) - 1;

/// How many days a step is, so that they fit.
const STEP: u32 = 14;

/// How long ago something may have been updated to count as fresh, in days.
const FRESH: u32 = 90;

impl Signs {
    /// Notes what its name is made of.
    pub(super) fn named(self, shape: &Shape) -> Self {
        let words = u32::from(shape.words.min(31)) | u32::from(shape.repeated.min(7)) << 5;
        let layers = (shape.container as u32) << 8 | (shape.end as u32) << 11;
        Self(self.0 | words | layers)
    }

    pub(super) fn with(self, sign: Sign, is_so: bool) -> Self {
        Self(self.0 | if is_so { sign as u32 } else { 0 })
    }

    /// Notes the day on which it was updated.
    pub(super) fn updated(self, day: u32) -> Self {
        let steps = (day.saturating_sub(FIRST_DAY) / STEP).min(MOST_DAYS);
        Self(self.0 | steps << DAYS)
    }

    pub(super) fn bits(self) -> u64 {
        self.0.into()
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(u32::try_from(bits).unwrap_or_default())
    }

    pub(super) fn has(self, sign: Sign) -> bool {
        self.0 & sign as u32 != 0
    }

    /// How many words the name has; 0 when it is not written in words.
    pub(super) fn words(self) -> u32 {
        self.0 & 31
    }

    /// How many of them the name of the database has as well.
    pub(super) fn repeated(self) -> u32 {
        self.0 >> 5 & 7
    }

    fn layer(self) -> Layer {
        Layer::from_bits(self.0 >> 8).min_known(Layer::from_bits(self.0 >> 11))
    }

    fn is_fresh(self, today: u32) -> bool {
        let steps = self.0 >> DAYS;
        steps > 0 && FIRST_DAY + (steps + 1) * STEP + FRESH >= today
    }
}

impl Layer {
    /// The less finished of two, where one says anything.
    pub(super) fn min_known(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, known) | (known, Self::Unknown) => known,
            (one, other) => one.min(other),
        }
    }
}

/// What the score of an asset counts for, given the layer that its prefix names.
pub(super) fn trust(facts: &Facts, prefix: Layer, today: u32) -> f32 {
    let signs = facts.signs;
    let mut trust = signs.layer().min_known(prefix).weight();
    for (speaks, weight) in [
        (signs.has(Sign::Described), 1.1),
        (signs.has(Sign::Owned), 1.1),
        (signs.has(Sign::Tagged), 1.05),
        (signs.has(Sign::Counted), 1.03),
        (signs.is_fresh(today), 1.03),
        (facts.verified >= today, 1.2),
        (signs.has(Sign::Container), 0.7),
        (signs.has(Sign::Link), 0.5),
        (facts.deprecated, 0.5),
    ] {
        if speaks {
            trust *= weight;
        }
    }
    trust
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_read_as_they_were_noted() {
        let shape = Shape {
            words: 3,
            repeated: 1,
            container: Layer::Source,
            end: Layer::Unknown,
            ..Shape::default()
        };
        let signs = Signs::default()
            .named(&shape)
            .with(Sign::Owned, true)
            .with(Sign::Link, false)
            .updated(FIRST_DAY + 9_800);
        let signs = Signs::from_bits(signs.bits());

        assert_eq!((signs.words(), signs.repeated()), (3, 1));
        assert_eq!(signs.layer(), Layer::Source);
        assert!(signs.has(Sign::Owned) && !signs.has(Sign::Link));
        assert!(signs.is_fresh(FIRST_DAY + 9_850));
        assert!(!signs.is_fresh(FIRST_DAY + 10_000));
        assert!(!Signs::default().named(&shape).is_fresh(FIRST_DAY));
    }

    #[test]
    fn the_less_finished_layer_counts() {
        assert_eq!(Layer::Serving.min_known(Layer::Source), Layer::Source);
        assert_eq!(Layer::Unknown.min_known(Layer::Serving), Layer::Serving);
        assert_eq!(Layer::of("stg"), Layer::Source);
        assert_eq!(Layer::of_end("copy"), Layer::Scratch);
        assert_eq!(Layer::of_end("source"), Layer::Unknown);
    }
}
