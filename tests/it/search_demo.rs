//! What somebody of the demo's company looks for first, and the table that they mean.

use std::fmt::Write as _;

use gazetteer::demo::World;
use gazetteer::search::AccessFilter;

use crate::support::app::TestApp;

/// What is typed, and the name that comes first. Where two are as good, both stand there.
const QUESTIONS: [(&str, &[&str]); 44] = [
    ("customer", &["dim_customer"]),
    ("customers", &["dim_customer"]),
    ("orders", &["fct_orders"]),
    ("order", &["fct_orders"]),
    ("order items", &["fct_order_items"]),
    ("returns", &["fct_returns"]),
    ("product", &["dim_product"]),
    ("products", &["dim_product"]),
    ("category", &["dim_category"]),
    ("date", &["dim_date"]),
    ("store", &["dim_store"]),
    ("payments", &["fct_payments"]),
    ("refunds", &["fct_refunds"]),
    ("chargebacks", &["fct_chargebacks"]),
    ("fraud scores", &["fct_fraud_scores"]),
    ("shipments", &["fct_shipments"]),
    ("warehouse", &["dim_warehouse"]),
    ("carrier", &["dim_carrier"]),
    ("attribution", &["fct_attribution"]),
    ("users created", &["FctUsersCreated"]),
    ("orders per day", &["orders by day"]),
    ("orders by day", &["orders by day"]),
    ("what is the customer history", &["dim_customer_history"]),
    ("order margin", &["v_order_margin"]),
    ("stock value", &["v_stock_value"]),
    ("new vs returning", &["v_new_vs_returning"]),
    ("where is the order margin", &["v_order_margin"]),
    ("tickets", &["tickets"]),
    ("exchange rates", &["fx_rates"]),
    ("daily revenue", &["daily_revenue"]),
    ("monthly revenue", &["revenue_monthly"]),
    ("ad spend", &["ad_spend_daily"]),
    ("stock movements", &["fct_stock_movements"]),
    ("stock levels", &["stock_levels"]),
    ("customer segments", &["customer_segments"]),
    ("churn risk", &["customer_segments", "v_customer_360"]),
    ("page views", &["page_views"]),
    ("visitor customer map", &["int_visitor_customer_map"]),
    ("invoices", &["invoices_out", "invoices_in"]),
    ("suppliers", &["suppliers"]),
    ("newsletter", &["newsletter_sends", "newsletter_events"]),
    ("shop.fct_orders", &["fct_orders"]),
    ("stg_orders", &["stg_orders"]),
    ("delivery performance", &["delivery_performance"]),
];

/// What is typed of a word, and the name that is offered first.
const BEGINNINGS: [(&str, &str); 5] = [
    ("cust", "dim_customer"),
    ("customer", "dim_customer"),
    ("order", "fct_orders"),
    ("fct_ord", "fct_orders"),
    ("shipm", "fct_shipments"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_table_that_is_meant_comes_first_and_says_why() {
    let app = TestApp::reading(World::demo().unwrap()).await;
    let mut wrong = String::new();
    for (typed, best) in QUESTIONS {
        let query = typed.replace(' ', "%20");
        let found = app
            .json(&format!("/api/v1/search?limit=100&q={query}"))
            .await;
        let hits = found["hits"].as_array().unwrap();
        let names: Vec<&str> = hits.iter().filter_map(|hit| hit["name"].as_str()).collect();
        if !names.first().is_some_and(|first| best.contains(first)) {
            let first = names.iter().take(5).collect::<Vec<_>>();
            writeln!(wrong, "{typed}: {best:?} expected, found {first:?}").unwrap();
        }
        for hit in hits {
            if hit["matched"].as_array().is_none_or(Vec::is_empty) {
                writeln!(wrong, "{typed}: {} without a reason", hit["name"]).unwrap();
            }
        }
    }
    for (typed, best) in BEGINNINGS {
        let hits = app
            .app
            .index
            .suggest(typed, 8, &AccessFilter::none())
            .unwrap();
        let named = hits.first().and_then(|hit| hit.matched.first()).unwrap();
        let name: String = named.text.iter().map(|part| part.text.as_str()).collect();
        if name != best {
            writeln!(wrong, "typing {typed}: {best} expected, found {name}").unwrap();
        }
    }

    assert!(wrong.is_empty(), "\n{wrong}");
}
