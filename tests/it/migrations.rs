//! The schema goes up, down and up again on both databases.

use gazetteer::demo::{Endpoint, World};

use crate::support::catalog::TestCatalog;

#[tokio::test]
async fn up_down_and_up_again() {
    let catalog = TestCatalog::start().await;
    let glue = Endpoint::start(World::demo().unwrap()).await.unwrap();
    catalog.ingest(&glue).await;

    catalog.app.db.unmigrate().await.unwrap();
    let pending = catalog.app.db.pending_migrations().await.unwrap();
    catalog.app.db.migrate().await.unwrap();

    assert_eq!(pending, 13);
    assert_eq!(catalog.app.db.pending_migrations().await.unwrap(), 0);
    assert!(catalog.assets().await.is_empty());
}
