# The sample world in a browser, nothing to install
run:
    cargo run --release -- demo

# Every test, with all that it needs
test:
    scripts/test

# The Rust tests on a Postgres of their own
test-postgres *FILTER:
    scripts/with-postgres cargo nextest run {{FILTER}}

# The journeys in a real browser
browser:
    cargo test --workspace --no-run
    npm ci --prefix tests/browser --no-audit --no-fund
    node --test --test-concurrency=1 tests/browser/*.test.js

# Lints, warnings being errors
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Formats the sources
fmt:
    cargo fmt --all

# Brings the database of the settings up to date
migrate:
    cargo run -- migrate

# Says what keeps this set-up from working
doctor:
    cargo run -- doctor
