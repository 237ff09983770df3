//! Which tables a view reads, as far as its SQL says so without being understood: what stands behind FROM and JOIN.
//!
//! Only counted, never shown: a name that belongs to something else in the statement is the name of no table, or of one
//! that counts for a little more than it should.

use super::tokenizer::fold;

/// So many tables of one view count.
const MOST: usize = 64;

/// A table as what reads it names it, for counting.
pub(super) fn address(database: &str, table: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fold(database).as_bytes());
    hasher.update(b"\0");
    hasher.update(fold(table).as_bytes());
    let mut bytes = [0; 4];
    hasher.finalize_xof().fill(&mut bytes);
    u32::from_le_bytes(bytes).into()
}

/// The addresses of the tables that a statement reads; names without a database are in the one given.
pub(super) fn read_by(sql: &str, database: &str) -> Vec<u64> {
    let mut read = Vec::new();
    let mut scanner = Scanner { rest: sql };
    let mut after_from = false;
    while let Some(token) = scanner.next() {
        let Token::Word(word) = token else {
            // A list of tables goes on behind a comma; everything else ends it.
            after_from = false;
            continue;
        };
        if after_from && read.len() < MOST {
            let mut path = vec![word];
            while let Some(part) = scanner.next_part() {
                path.push(part);
            }
            read.extend(address_of(&path, database));
            after_from = false;
        } else {
            after_from = word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("join");
        }
    }
    read.sort_unstable();
    read.dedup();
    read
}

/// The address of a table by the parts of its name, or of the parts together: `"shop.orders"`.
fn address_of(path: &[&str], database: &str) -> Option<u64> {
    match path {
        [name] => match name.rsplit_once('.') {
            Some((database, name)) => {
                let database = database.rsplit('.').next().unwrap_or(database);
                Some(address(database, name))
            }
            None => Some(address(database, name)),
        },
        [.., database, name] => Some(address(database, name)),
        [] => None,
    }
}

/// The address of a table as a source lists it among those that a view reads.
pub(super) fn listed(name: &str, database: &str) -> Option<u64> {
    address_of(&[name.trim()], database)
}

enum Token<'s> {
    /// A word, or a name in quotes.
    Word(&'s str),
    Other,
}

struct Scanner<'s> {
    rest: &'s str,
}

impl<'s> Scanner<'s> {
    fn next(&mut self) -> Option<Token<'s>> {
        self.skip_blank();
        let first = self.rest.chars().next()?;
        if first == '\'' {
            self.take_quoted('\'');
            return Some(Token::Other);
        }
        if let Some(name) = self.take_name(first) {
            return Some(Token::Word(name));
        }
        self.rest = self.rest.get(first.len_utf8()..).unwrap_or_default();
        Some(Token::Other)
    }

    /// The next part of a name, behind a dot.
    fn next_part(&mut self) -> Option<&'s str> {
        let before = self.rest;
        self.skip_blank();
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            self.skip_blank();
            let first = self.rest.chars().next();
            if let Some(name) = first.and_then(|first| self.take_name(first)) {
                return Some(name);
            }
        }
        self.rest = before;
        None
    }

    fn take_name(&mut self, first: char) -> Option<&'s str> {
        if matches!(first, '"' | '`') {
            return Some(self.take_quoted(first));
        }
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '@');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    fn take_quoted(&mut self, quote: char) -> &'s str {
        let inner = self.rest.get(quote.len_utf8()..).unwrap_or_default();
        let (name, rest) = inner.split_once(quote).unwrap_or((inner, ""));
        self.rest = rest;
        name
    }

    /// Skips what stands between words: spaces and comments.
    fn skip_blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let after = if self.rest.starts_with("--") {
                self.rest.split_once('\n').map(|(_, after)| after)
            } else if self.rest.starts_with("/*") {
                self.rest.split_once("*/").map(|(_, after)| after)
            } else {
                return;
            };
            self.rest = after.unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(sql: &str, paths: &[(&str, &str)]) -> bool {
        let mut expected: Vec<u64> = paths.iter().map(|(db, name)| address(db, name)).collect();
        expected.sort_unstable();
        read_by(sql, "views") == expected
    }

    #[test]
    fn tables_stand_behind_from_and_join() {
        assert!(reads(
            "SELECT a FROM shop.Orders o JOIN \"awsdatacatalog\".\"shop\".\"items\" i ON i.x = o.x \
             LEFT JOIN `Local` USING (x) -- from shop.comment\n WHERE a = 'from shop.text' /* join a.b */",
            &[("shop", "orders"), ("shop", "items"), ("views", "local")]
        ));
        assert!(reads("select * from `shop.orders`", &[("shop", "orders")]));
        assert!(reads("select * from (select 1)", &[]));
        assert_eq!(listed("shop.orders", "x"), Some(address("shop", "orders")));
    }

    #[test]
    fn nothing_that_can_be_written_is_an_error() {
        for sql in [
            "",
            "from",
            "from '",
            "from \"a",
            "from a.",
            "from .",
            "--",
            "/*",
            "from ü.ß",
            "join",
        ] {
            read_by(sql, "x");
        }
    }
}
