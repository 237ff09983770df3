//! A description with everything that people paste: kept as it is, shown as they meant it, found by its words.

use gazetteer::auth::Role;
use reqwest::Method;
use scraper::Selector;
use serde_json::json;

use crate::support::app::{Answer, TestApp, table, texts};

const PASTED: &str = r#"Uses `deal_option_attrs` and 'quotes' & "more" <b>not bold</b>.
Names like snake_case_name, __init__, a*b*c and 2 * 3 * 4 stay.

| column | rule |
|---|---|
| `a\|b` | x \| y |

7) seven
   - nested

- [x] done
- [ ] open

```sql
SELECT "it's", `x` FROM t WHERE a <> b -- <script>alert(1)</script>
```
Bare https://example.org/a_b_c?x=1&y=2 and <https://example.org>, mail a@example.org.
Footnote[^1] ~~gone~~ [x](javascript:alert(1)) ![img](https://example.org/i.png)

[^1]: Beware of zymurgy

[TODO]: quokka
"#;

#[tokio::test]
async fn pasted_text_is_kept_byte_by_byte_shown_as_meant_and_found() {
    let app = TestApp::start().await;
    app.add("sales", vec![table(&["sales", "orders"], &[])])
        .await;
    let id = app.id_of(&["sales", "orders"]).await;
    let ana = app.person("ana", Role::Steward, &[]).await;
    let address = format!("/api/v1/assets/{id}");

    let body = json!({"text": PASTED, "version": 0});
    let put = ana.request(Method::PUT, &format!("{address}/description"));
    let saved = Answer::of(put.json(&body)).await;
    let read = ana.json(&address).await;
    let page = ana.page(&format!("/assets/{id}")).await;

    assert_eq!(saved.status, 200, "{}", saved.text);
    assert!(
        read.to_string().contains(&json!(PASTED).to_string()),
        "{read}"
    );
    let shown = texts(&page, "#description").join(" ");
    for words in [
        "deal_option_attrs",
        "<b>not bold</b>",
        "snake_case_name, __init__, a*b*c and 2 * 3 * 4 stay.",
        "☑ done",
        "☐ open",
        "Beware of zymurgy",
        "[TODO]: quokka",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let count = |selector: &str| {
        let selector = Selector::parse(&format!("#description {selector}")).unwrap();
        page.select(&selector).count()
    };
    for selector in [
        "table td code",
        "ol[start='7'] ul li",
        "pre code",
        "a[href='https://example.org/a_b_c?x=1&y=2']",
        "a[href='https://example.org']",
        "a[href='mailto:a@example.org']",
        "sup a[href^='#fn-']",
        "li[id^='fn-'] a[href^='#ref-']",
        "del",
    ] {
        assert_eq!(count(selector), 1, "{selector}");
    }
    for selector in ["script", "b", "img", "em", "[href^='javascript']"] {
        assert_eq!(count(selector), 0, "{selector}");
    }
    for word in [
        "zymurgy",
        "quokka",
        "deal_option_attrs",
        "nested",
        "example.org/a_b_c",
    ] {
        let found = ana.json(&format!("/api/v1/search?q={word}")).await;
        assert_eq!(found["total"], 1, "{word}: {found}");
    }
}
