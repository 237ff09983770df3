//! What the name of an asset is made of: its words, those that its database has too, and the words at its edges.

use super::grammar::is_grammar;
use super::tokenizer::name_words;
use super::trust::Layer;

/// A name, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// How many words it has, words of grammar aside; 0 when it is not written in words.
    pub(super) words: u8,
    /// How many of them the name of its database has as well.
    pub(super) repeated: u8,
    /// The first of the others, where a word follows.
    pub(super) first: Option<String>,
    /// The last of the others, where there are several.
    pub(super) last: Option<String>,
    /// What the database's name says of the layer.
    pub(super) container: Layer,
    /// What the name's last word says of it.
    pub(super) end: Layer,
}

impl Shape {
    /// Takes a name apart, in the database of that name.
    pub(super) fn new(name: &str, database: &str) -> Self {
        let around = name_words(database).map(join_versions).unwrap_or_default();
        let container = [around.first(), around.last()];
        let container = container.into_iter().flatten().map(|word| Layer::of(word));
        let container = container.fold(Layer::Unknown, Layer::min_known);
        let Some(words) = name_words(name).map(join_versions) else {
            return Self {
                container,
                ..Self::default()
            };
        };
        let words: Vec<String> = words.into_iter().filter(|word| !is_grammar(word)).collect();
        let is_repeated = |word: &&String| around.iter().any(|other| is_same(word, other));
        let (repeated, own): (Vec<&String>, Vec<&String>) = words.iter().partition(is_repeated);
        let is_followed = |word: &&&String| words.last().is_some_and(|last| last != **word);
        let first = own.first().filter(is_followed).map(|word| (*word).clone());
        let last = own.get(1..).and_then(<[_]>::last);
        let last = last.map(|word| (*word).clone());
        Self {
            words: u8::try_from(words.len()).unwrap_or(u8::MAX),
            repeated: u8::try_from(repeated.len()).unwrap_or(u8::MAX),
            first,
            last,
            container,
            end: words
                .last()
                .map_or(Layer::Unknown, |word| Layer::of_end(word)),
        }
    }
}

/// A letter and a number behind it are one word: `v2`.
fn join_versions(pieces: Vec<Vec<String>>) -> Vec<String> {
    let words = pieces.into_iter().flat_map(|piece| match piece.as_slice() {
        [letter, number] if letter.len() == 1 && number.bytes().all(|b| b.is_ascii_digit()) => {
            vec![piece.concat()]
        }
        _ => piece,
    });
    words.collect()
}

/// Whether two words are one but for a plural's s.
fn is_same(one: &str, other: &str) -> bool {
    let stem = |word: &str| word.strip_suffix('s').unwrap_or(word).len();
    one.get(..stem(one)) == other.get(..stem(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(path: &str) -> Shape {
        let (database, name) = path.split_once('.').unwrap();
        Shape::new(name, database)
    }

    fn edges(path: &str) -> String {
        let Shape { first, last, .. } = shape(path);
        let edges: Vec<String> = first.into_iter().chain(last).collect();
        edges.join(" ")
    }

    #[test]
    fn words_of_the_database_and_of_grammar_are_no_edges() {
        assert_eq!(edges("shop.dim_customer"), "dim customer");
        assert_eq!(edges("shop.FctOrdersDaily"), "fct daily");
        assert_eq!(edges("hubspot_source.stg_hubspot__deal"), "stg deal");
        assert_eq!(edges("shopify.shopify__orders"), "");
        assert_eq!(edges("views.orders by day"), "orders day");
        assert_eq!(edges("x.users_daily_v1"), "users v1");
        assert_eq!(edges("x.orders"), "");
        assert_eq!(edges("payments.fct_payments"), "fct");
    }

    #[test]
    fn words_are_counted_and_layers_named() {
        let orders = shape("warehouse_mart.marts__combined__orders");
        assert_eq!((orders.words, orders.repeated), (3, 1));
        assert_eq!(orders.container, Layer::Serving);
        assert_eq!(shape("sandbox.tmp_orders_copy").end, Layer::Scratch);
        assert_eq!(shape("sandbox.売上_日次").words, 0);
        assert_eq!(shape("sandbox.売上_日次").container, Layer::Scratch);
    }
}
