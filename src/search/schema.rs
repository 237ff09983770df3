//! What the index keeps of an asset, field by field.

use tantivy::schema::{
    BytesOptions, FAST, Field, INDEXED, IndexRecordOption, STORED, Schema, TextFieldIndexing,
    TextOptions,
};
use tantivy::tokenizer::TokenizerManager;

use super::facets::{self, SEVERAL, SINGLE};
use super::filters::SearchField;
use super::inside::InsideTokenizer;
use super::tokenizer::WordTokenizer;

/// Goes up when words are cut, folded or stored in another way than before.
const VERSION: u32 = 7;

const WORDS: &str = "gazetteer_words";
const INSIDE: &str = "gazetteer_inside";

/// How many fields are ranked by; see [`Fields::ranked`].
pub(super) const RANKED: usize = 5;

/// The fields of the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) name: Field,
    pub(super) place: Field,
    pub(super) column: Field,
    /// Descriptions and comments, the source's and people's.
    pub(super) text: Field,
    /// SQL, formats, locations, owners, tags.
    pub(super) other: Field,
    pub(super) owner: Field,
    pub(super) tag: Field,
    /// The name as it is, the path as it is, the name without separators, owners and tags; told apart by [`Whole`].
    pub(super) whole: Field,
    /// What stands inside the words of names and of column names.
    pub(super) in_name: Field,
    pub(super) in_column: Field,
    /// The words at the edges of the name, by which affixes are learned.
    pub(super) first: Field,
    pub(super) last: Field,
    /// The values of facets, of which a document has one, and of which it may have several.
    pub(super) single: [Field; SINGLE],
    pub(super) several: [Field; SEVERAL],
    /// The source and the id of the database that it stands in, by which it may be hidden.
    pub(super) source: Field,
    pub(super) home: Field,
    pub(super) gone: Field,
    pub(super) deprecated: Field,
    /// What speaks for it or against it; see [`super::trust::Signs`].
    pub(super) signs: Field,
    /// By which views read it, and which tables it reads itself; see [`super::readers`].
    pub(super) address: Field,
    pub(super) reads: Field,
    /// The day on which its definition changed last, in days of the common era.
    pub(super) changed: Field,
    /// The last day on which somebody vouches for it, in days of the common era.
    pub(super) verified: Field,
    /// Sorts by name; unique.
    pub(super) order: Field,
    pub(super) stored: Field,
}

impl Fields {
    /// The fields that hits are ranked by, strongest first.
    pub(super) fn ranked(&self) -> [Field; RANKED] {
        [self.name, self.place, self.column, self.text, self.other]
    }

    /// The fields in which a filter looks.
    pub(super) fn of(&self, field: SearchField) -> Vec<Field> {
        match field {
            SearchField::Anywhere => self.ranked().into(),
            SearchField::Name => vec![self.name],
            SearchField::Column => vec![self.column],
            SearchField::Description => vec![self.text],
            SearchField::Owner => vec![self.owner],
            SearchField::Tag => vec![self.tag],
        }
    }
}

/// The ways in which a whole name is found, and the values that are completed while somebody types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Name,
    Path,
    Squeezed,
    Owner,
    Tag,
}

impl Whole {
    /// The term for a folded or squeezed name.
    pub(super) fn term(self, name: &str) -> String {
        let mark = match self {
            Self::Name => 'n',
            Self::Path => 'p',
            Self::Squeezed => 's',
            Self::Owner => 'o',
            Self::Tag => 't',
        };
        let longest = name
            .char_indices()
            .map(|(at, _)| at)
            .take_while(|at| *at < 1_000);
        let end = longest.last().unwrap_or(0);
        let short = if name.len() > 1_000 {
            name.get(..end)
        } else {
            Some(name)
        };
        format!("{mark}:{}", short.unwrap_or_default())
    }
}

/// Lays the fields out.
pub(super) fn lay_out() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let words = || {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(WORDS)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions),
        )
    };
    let unranked = |tokenizer, option| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(tokenizer)
                .set_fieldnorms(false)
                .set_index_option(option),
        )
    };
    let filter = || unranked(WORDS, IndexRecordOption::WithFreqsAndPositions);
    let inside = || unranked(INSIDE, IndexRecordOption::Basic);
    let edge = || unranked("raw", IndexRecordOption::Basic).set_fast("raw");
    let value = || TextOptions::default().set_fast("raw");
    let fields = Fields {
        id: schema.add_bytes_field("id", BytesOptions::default().set_indexed()),
        name: schema.add_text_field("name", words()),
        place: schema.add_text_field("place", words()),
        column: schema.add_text_field("column", words()),
        text: schema.add_text_field("text", words()),
        other: schema.add_text_field("other", words()),
        owner: schema.add_text_field("owner", filter()),
        tag: schema.add_text_field("tag", filter()),
        whole: schema.add_text_field("whole", unranked("raw", IndexRecordOption::Basic)),
        in_name: schema.add_text_field("in_name", inside()),
        in_column: schema.add_text_field("in_column", inside()),
        first: schema.add_text_field("first", edge()),
        last: schema.add_text_field("last", edge()),
        single: facets::single().map(|column| schema.add_text_field(column, value())),
        source: schema.add_text_field("source", value()),
        home: schema.add_text_field("home", value()),
        several: facets::several().map(|column| schema.add_text_field(column, value())),
        gone: schema.add_u64_field("gone", FAST),
        deprecated: schema.add_u64_field("deprecated", FAST),
        signs: schema.add_u64_field("signs", FAST),
        address: schema.add_u64_field("address", FAST),
        reads: schema.add_u64_field("reads", INDEXED),
        verified: schema.add_u64_field("verified", FAST),
        changed: schema.add_u64_field("changed", FAST),
        order: schema.add_text_field("order", value()),
        // As text: bytes are written one by one.
        stored: schema.add_text_field("stored", STORED),
    };
    (schema.build(), fields)
}

/// What cuts the texts of the fields into words.
pub(super) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    tokenizers.register(WORDS, WordTokenizer::default());
    tokenizers.register(INSIDE, InsideTokenizer::default());
    tokenizers
}

/// Names the folder of indexes that are laid out like this one.
pub(super) fn fingerprint() -> String {
    let (schema, _) = lay_out();
    let fields = serde_json::to_vec(&schema).unwrap_or_default();
    let digest = blake3::hash(&fields).to_hex();
    let short: String = digest.chars().take(8).collect();
    format!("v{VERSION}-{short}")
}
