//! What is searched as one: the segments on disk, and the newest documents in memory, which hide their older forms there.

use std::sync::Arc;
use std::time::Instant;

use super::Error;
use super::access_filter::HiddenDocs;
use super::affixes::Learned;
use super::built::Disk;
use super::recent::{Batch, Recent};
use super::schema::Fields;
use super::snapshot::{Segment, Snapshot, Values};
use crate::db::Subject;

/// Disk and memory, put together.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) disk: Disk,
    /// What of each segment on disk is deleted, or is in memory in a newer form.
    dead: Vec<Option<Arc<HiddenDocs>>>,
    pub(super) recent: Recent,
    /// The last change that disk and memory contain together.
    followed: i64,
}

impl Layers {
    /// The last change that is contained.
    pub(super) fn applied(&self) -> i64 {
        self.followed.max(self.disk.applied)
    }

    /// Takes in a batch of the newest documents.
    pub(super) fn hold(&mut self, batch: Batch, as_of: i64) -> Result<(), Error> {
        let ids = batch.ids();
        self.recent.hold(batch, as_of, Instant::now());
        self.hide_on_disk(&ids)
    }

    /// Notes that every change up to this one is contained.
    pub(super) fn follow_to(&mut self, applied: i64) {
        self.followed = self.followed.max(applied);
    }

    /// Takes up what was committed, and drops from memory what is on disk now.
    pub(super) fn replace_disk(&mut self, disk: Disk) -> Result<(), Error> {
        if disk.applied < self.disk.applied {
            // Memory holds what came after another state than this one.
            self.followed = disk.applied;
        }
        self.recent.drop_until(disk.applied);
        let segments = disk.segments.iter();
        self.dead = segments.map(|stored| stored.deleted.clone()).collect();
        self.disk = disk;
        let ids: Vec<Subject> = self.recent.ids().collect();
        self.hide_on_disk(&ids)
    }

    /// Forgets what is in memory.
    pub(super) fn forget(&mut self) {
        self.recent = Recent::default();
        self.followed = 0;
        let segments = self.disk.segments.iter();
        self.dead = segments.map(|stored| stored.deleted.clone()).collect();
    }

    fn hide_on_disk(&mut self, ids: &[Subject]) -> Result<(), Error> {
        for (stored, dead) in self.disk.segments.iter().zip(&mut self.dead) {
            for id in ids {
                for doc in stored.segment.documents_of(*id)? {
                    let hidden_docs =
                        dead.get_or_insert_with(|| Arc::new(HiddenDocs::clear(&stored.segment)));
                    if !hidden_docs.hides(doc) {
                        Arc::make_mut(hidden_docs).hide(&stored.segment, doc);
                    }
                }
            }
        }
        Ok(())
    }

    /// The state as queries read it.
    pub(super) fn view(
        &self,
        fields: Fields,
        schema: tantivy::schema::Schema,
        values: &Values,
    ) -> Snapshot {
        let disk = self.disk.segments.iter().map(|stored| &stored.segment);
        let memory = self.recent.segments.iter().map(|held| &held.segment);
        let segments: Vec<Arc<Segment>> = disk.chain(memory).map(Arc::clone).collect();
        let hidden = self.recent.segments.iter().map(|held| held.dead.clone());
        Snapshot {
            fields,
            schema,
            segments,
            dead: self.dead.iter().cloned().chain(hidden).collect(),
            values: values.names(),
            learned: Learned::default(),
        }
    }
}
