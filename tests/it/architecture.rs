//! The arrows of `ARCHITECTURE.md`: every file of `src` imports only what its module's row allows.
//!
//! The check reads names, not types: `crate::catalog` counts wherever it stands outside comments and strings.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[test]
fn every_file_imports_only_what_the_table_allows() {
    let rules = Rules::read();

    let complaints: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| rules.check(path, text))
        .collect();

    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn the_table_names_every_module_in_reading_order_and_points_upwards_only() {
    let rules = Rules::read();

    let modules: Vec<&str> = rules.modules.iter().map(String::as_str).collect();
    assert_eq!(modules, modules_of_the_crate());
    for (position, module) in modules.iter().enumerate() {
        for import in &rules.imports[*module] {
            let above = modules.iter().take(position).any(|name| name == import);
            assert!(
                above,
                "`{module}` may import `{import}`, which does not stand above it"
            );
        }
    }
}

#[test]
fn an_import_that_no_row_allows_is_found_in_every_spelling() {
    let rules = Rules::parse(EXAMPLE);

    for text in [
        "use crate::web::Page;",
        "use crate::{error::Kind, web::{Page, db}};",
        "fn f() -> crate::web::Page { todo() }",
        "pub(crate) use crate :: web;",
        "use super::web::Page;",
        "use super::super::web;",
        "use gazetteer::web;",
    ] {
        let complaints = rules.check("db/mod.rs", text);
        assert_eq!(
            complaints,
            ["db/mod.rs:1: `db` may not import `web`"],
            "{text}"
        );
    }
    assert_eq!(
        rules.check("db/page.rs", "\n\nuse crate::elsewhere;"),
        ["db/page.rs:3: `elsewhere` is no module of the table"]
    );
}

#[test]
fn what_one_place_may_name_is_found_everywhere_else() {
    let rules = Rules::parse(EXAMPLE);

    for text in [
        "use crate::db::entity::asset;",
        "use crate::db::{Page, entity};",
        "fn f() { crate::db::entity::f() }",
    ] {
        let complaints = rules.check("web/mod.rs", text);
        assert_eq!(
            complaints,
            ["web/mod.rs:1: only db, store.rs may name `db::entity`"],
            "{text}"
        );
        assert!(rules.check("web/store.rs", text).is_empty(), "{text}");
        assert!(rules.check("web/store/lists.rs", text).is_empty(), "{text}");
        assert!(!rules.check("web/restore/lists.rs", text).is_empty());
    }
    assert_eq!(
        rules.check("db/mod.rs", "use std::{env, fmt};"),
        ["db/mod.rs:1: only error may name `std::env`"]
    );
}

#[test]
fn allowed_imports_comments_and_strings_pass() {
    let rules = Rules::parse(EXAMPLE);

    for text in [
        "use crate::error::{Explain, Kind};",
        "use crate::db::page;",
        "use super::error;\nuse crate::error::web;",
        "//! See [`crate::web`].\n/* crate::web /* crate::web */ */",
        r##"const A: &str = "crate::web \" crate::web"; const B: &str = r#"" crate::web"#;"##,
        "fn f<'a>(quote: char) -> bool { quote == '\"' || quote == '\\'' } // use crate::web;",
        "fn f() { my_crate::web(); environment::f(); }",
    ] {
        assert_eq!(
            rules.check("db/mod.rs", text),
            Vec::<String>::new(),
            "{text}"
        );
    }
}

/// A file has no more lines of code than this, tests and comments aside; a template no longer lines, in characters.
const MOST_LINES: usize = 400;
const LONGEST_LINE: usize = 120;

/// Files that are longer still, and may only become shorter.
const LONGER: [(&str, usize); 19] = [
    ("catalog/apply.rs", 478),
    ("catalog/difference.rs", 567),
    ("demo/database_yaml.rs", 583),
    ("demo/endpoint.rs", 477),
    ("demo/generate.rs", 514),
    ("ingest/run.rs", 526),
    ("search/plan.rs", 562),
    ("search/rank.rs", 586),
    ("search/tokenizer/mod.rs", 488),
    ("sources/glue/client.rs", 570),
    ("sources/glue/reading.rs", 557),
    ("sources/glue/translate.rs", 424),
    ("web/pages/assets/mod.rs", 425),
    ("web/pages/columns.rs", 555),
    ("web/pages/ingestion.rs", 637),
    ("web/pages/people.rs", 601),
    ("web/pages/search.rs", 546),
    ("web/routes.rs", 460),
    ("web/view.rs", 409),
];

/// So many lines of templates are longer still; there may only be fewer.
const LONG_LINES: usize = 217;

#[test]
fn files_are_read_in_one_sitting_and_say_what_they_keep() {
    let mut complaints = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().map(str::trim);
        let code = lines.take_while(|line| *line != "#[cfg(test)]");
        let count = code
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .count();
        let longer = LONGER.iter().find(|(longer, _)| *longer == path);
        let most = longer.map_or(MOST_LINES, |(_, most)| *most);
        if count > most {
            complaints.push(format!(
                "{path} has {count} lines of code, and {most} is the most"
            ));
        }
        if !text.starts_with("//!") {
            complaints.push(format!("{path} does not open with what it keeps"));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn no_template_gets_more_lines_that_nobody_can_review() {
    let mut folders = vec![root().join("templates")];
    let mut long = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines();
            long += lines
                .filter(|line| line.chars().count() > LONGEST_LINE)
                .count();
        }
    }
    assert!(
        long <= LONG_LINES,
        "{long} lines of templates are too long, and {LONG_LINES} is the most"
    );
}

const EXAMPLE: &str = "\
```imports
module | may import
-------|-----------
error  |
db     | error
web    | error, db
```

```names
name       | only in
-----------|-------------
std::env   | error
db::entity | db, store.rs
```
";

/// The two tables of `ARCHITECTURE.md`.
struct Rules {
    /// In the order of the table, which is the reading order.
    modules: Vec<String>,
    imports: BTreeMap<String, BTreeSet<String>>,
    /// A path of names, and the folders or files that may hold it.
    places: Vec<(Vec<String>, Vec<String>)>,
}

impl Rules {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page is there");
        Self::parse(&text)
    }

    fn parse(page: &str) -> Self {
        let imports = table(page, "imports");
        Self {
            modules: imports.iter().map(|(name, _)| name.clone()).collect(),
            imports: imports
                .into_iter()
                .map(|(name, allowed)| (name, allowed.into_iter().collect()))
                .collect(),
            places: table(page, "names")
                .into_iter()
                .map(|(name, places)| (name.split("::").map(str::to_owned).collect(), places))
                .collect(),
        }
    }

    /// What one file does against the rules; `path` is below `src`, with slashes.
    fn check(&self, path: &str, text: &str) -> Vec<String> {
        let module = path.split('/').next().unwrap_or(path);
        let module = module.strip_suffix(".rs").unwrap_or(module);
        // These two tie the modules together and hold nothing else.
        if matches!(module, "main" | "lib") {
            return Vec::new();
        }
        let mut complaints = BTreeSet::new();
        for (line, named) in paths(text) {
            if let Some(import) = self.import(module, &named)
                && import != module
                && let Err(reason) = self.allows(module, import)
            {
                complaints.insert((line, reason));
            }
            for (name, places) in &self.places {
                let names = named.windows(name.len()).any(|part| part == name);
                if names && !places.iter().any(|place| is_in(path, place)) {
                    let reason =
                        format!("only {} may name `{}`", places.join(", "), name.join("::"));
                    complaints.insert((line, reason));
                }
            }
        }
        complaints
            .into_iter()
            .map(|(line, reason)| format!("{path}:{line}: {reason}"))
            .collect()
    }

    /// The module of the crate that a path leads to, if it leads to one.
    fn import<'a>(&self, module: &str, named: &'a [String]) -> Option<&'a str> {
        let supers = named.iter().take_while(|name| *name == "super").count();
        let mut parts = named.iter().skip(supers).map(String::as_str);
        let first = parts.next()?;
        if supers > 0 {
            // `super` may mean a folder as well as the crate; a module's own part shadows the crate's.
            let own = root().join("src").join(module).join(first);
            let is_own = own.is_dir() || own.with_extension("rs").is_file();
            return (self.imports.contains_key(first) && !is_own).then_some(first);
        }
        matches!(first, "crate" | "gazetteer")
            .then(|| parts.next())
            .flatten()
    }

    fn allows(&self, module: &str, import: &str) -> Result<(), String> {
        let Some(allowed) = self.imports.get(module) else {
            return Err(format!("`{module}` has no row in the table"));
        };
        if !self.imports.contains_key(import) {
            Err(format!("`{import}` is no module of the table"))
        } else if allowed.contains(import) {
            Ok(())
        } else {
            Err(format!("`{module}` may not import `{import}`"))
        }
    }
}

/// Whether a file is the place, or in the folder, that a row names: `db`, `sources/glue`, `store.rs`. A file that is
/// named alone may be a folder anywhere.
fn is_in(path: &str, place: &str) -> bool {
    let inside = path
        .strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == ".rs");
    let folder = place.strip_suffix(".rs");
    let mut names = path.rsplit('/');
    inside || names.next() == Some(place) || names.any(|name| Some(name) == folder)
}

/// The rows of a fenced table: the first cell, and the second split at its commas.
fn table(page: &str, name: &str) -> Vec<(String, Vec<String>)> {
    let rows: Vec<_> = page
        .lines()
        .skip_while(|line| line.strip_prefix("```") != Some(name))
        .skip(3) // the fence, the head and its rule
        .take_while(|line| !line.starts_with("```"))
        .filter_map(|line| line.split_once('|'))
        .map(|(first, second)| {
            let list = second.split(',').map(str::trim).filter(|cell| !cell.is_empty());
            (first.trim().to_owned(), list.map(str::to_owned).collect())
        })
        .collect();
    assert!(!rows.is_empty(), "ARCHITECTURE.md has no table `{name}`");
    rows
}

/// Every path that a file names, `use` groups written out, each with its line.
fn paths(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut path: Vec<String> = Vec::new();
    // For each open brace, the path whose group it opens; empty for any other brace.
    let mut open: Vec<Vec<String>> = Vec::new();
    let mut start = 0;
    let mut joined = false; // the last token was `::`
    for (line, token) in tokens(text) {
        let is_name = token.starts_with(|first: char| first.is_alphanumeric() || first == '_');
        if is_name && (joined || path.is_empty()) {
            if path.is_empty() {
                start = line;
            }
            path.push(token);
            joined = false;
            continue;
        }
        if token == "::" {
            joined = true;
            continue;
        }
        if token == "{" && joined {
            open.push(path.clone());
            start = line;
            continue;
        }
        let group = open.last().cloned();
        if path.len() > group.as_ref().map_or(0, Vec::len) {
            found.push((start, path.clone()));
        }
        path.clear();
        joined = false;
        match token.as_str() {
            "{" => open.push(Vec::new()),
            "}" => {
                open.pop();
            }
            _ if is_name => {
                path.push(token);
                start = line;
                continue;
            }
            _ => {}
        }
        if let (Some(group), ",") = (group, token.as_str()) {
            path = group;
            start = line;
            joined = !path.is_empty();
        }
    }
    found
}

/// Names, `::` and single characters, with their lines; comments and strings are left out.
fn tokens(text: &str) -> Vec<(usize, String)> {
    let code = without_comments_and_strings(text);
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                ':' if rest.starts_with("::") => 2,
                _ if first.is_alphanumeric() || first == '_' => rest
                    .find(|next: char| !next.is_alphanumeric() && next != '_')
                    .unwrap_or(rest.len()),
                _ => first.len_utf8(),
            };
            let (token, after) = rest.split_at(length);
            tokens.push((number + 1, token.to_owned()));
            rest = after.trim_start();
        }
    }
    tokens
}

/// Blanks comments, strings and characters, keeping the lines.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest, code.chars().last()).unwrap_or(0);
        if length == 0 {
            code.push(first);
            rest = rest.split_at(first.len_utf8()).1;
            continue;
        }
        let (blank, after) = rest.split_at(length);
        code.push(' ');
        code.extend(blank.chars().filter(|next| *next == '\n'));
        rest = after;
    }
    code
}

/// The length of the comment, string or character that starts here, if one does.
fn skipped(rest: &str, before: Option<char>) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(comment(rest));
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return Some(1 + until(inside, '"'));
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        // A lifetime has no closing quote right after its first character.
        let mut next = inside.chars();
        let is_character = next.next() == Some('\\') || next.next() == Some('\'');
        return is_character.then(|| 1 + until(inside, '\''));
    }
    let starts_name = !before.is_some_and(|last| last.is_alphanumeric() || last == '_');
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let marks = raw.len() - raw.trim_start_matches('#').len();
    let inside = raw.trim_start_matches('#').strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let length = inside.find(&end)? + end.len();
    starts_name.then(|| rest.len() - inside.len() + length)
}

/// The length of a block comment, those inside it included.
fn comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut position = 0;
    for (first, second) in rest.bytes().zip(rest.bytes().skip(1)) {
        position += 1;
        match (first, second) {
            (b'/', b'*') => depth += 1,
            (b'*', b'/') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return position + 1;
        }
    }
    rest.len()
}

/// The length up to and with the closing mark, escapes skipped.
fn until(inside: &str, mark: char) -> usize {
    let mut escaped = false;
    for (position, next) in inside.char_indices() {
        if escaped {
            escaped = false;
        } else if next == '\\' {
            escaped = true;
        } else if next == mark {
            return position + next.len_utf8();
        }
    }
    inside.len()
}

/// The modules that `lib.rs` lists, in its order.
fn modules_of_the_crate() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("the crate has a root");
    text.lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.split_once(';'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Every file of `src`: its path below it, and its text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let below = path
                    .strip_prefix(root().join("src"))
                    .expect("it was found there");
                let name = below.to_string_lossy().replace('\\', "/");
                found.push((
                    name,
                    fs::read_to_string(&path).expect("the file can be read"),
                ));
            }
        }
    }
    found.sort();
    assert!(found.len() > 10, "no sources were found");
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
