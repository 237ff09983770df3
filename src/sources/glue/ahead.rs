//! Reading the tables of one answer ahead. One call of the SDK reads several small entries, because a call costs as much
//! as a small entry.
//!
//! What cannot be read together is read entry by entry, so that a broken entry costs itself alone.

use std::collections::VecDeque;
use std::ops::Range;

use aws_sdk_glue::types::Table;

use super::answer::{Answer, Entry};

/// How many bytes of entries are read at once. Read, they take about ten times as much.
const TOGETHER: usize = 64 << 10;

/// The tables of one answer that are read already; each is asked for once, in the order of the entries.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// The entries that were tried together.
    tried: Range<usize>,
    /// The tables of the last of them; none when they could not be read together.
    tables: VecDeque<Table>,
}

impl Ahead {
    /// The name of an entry, as far as it can be read; none when there is none.
    pub(super) fn name(
        &mut self,
        answer: &Answer,
        position: usize,
        entry: &Entry<'_>,
    ) -> Option<String> {
        self.reach(answer, position);
        match self.tables.front() {
            Some(table) => Some(table.name.clone()).filter(|name| !name.is_empty()),
            None => entry.name(),
        }
    }

    /// Reads the entry whose name was asked for last as a table; the error says what is wrong with it.
    pub(super) fn table(&mut self, entry: &Entry<'_>) -> Result<Box<Table>, String> {
        match self.tables.pop_front() {
            Some(table) => Ok(Box::new(table)),
            None => entry.table(),
        }
    }

    /// Reads ahead as far as an entry, and forgets those before it.
    fn reach(&mut self, answer: &Answer, position: usize) {
        if !self.tried.contains(&position) {
            let neighbours = answer.neighbours(position, TOGETHER);
            self.tried = position..position + neighbours.count;
            self.tables = neighbours.tables().unwrap_or_default().into();
        }
        let left = self.tried.end.saturating_sub(position);
        let passed = self.tables.len().saturating_sub(left);
        self.tables.drain(..passed);
    }
}
