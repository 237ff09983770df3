# syntax=docker/dockerfile:1

# Builds from what .dockerignore lets through; `scripts/test` does the same without an engine.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
# What was downloaded and compiled is kept between builds; the binary has to leave the cache to be copied.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin gazetteer \
    && cp target/release/gazetteer /usr/local/bin/gazetteer

FROM debian:bookworm-slim
# The roots that AWS's certificates are checked against.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/gazetteer --create-home --shell /usr/sbin/nologin gazetteer
COPY --from=build /usr/local/bin/gazetteer /usr/local/bin/gazetteer
COPY LICENSE /usr/share/doc/gazetteer/LICENSE
COPY ingest-recipes /etc/gazetteer/ingest-recipes

ENV GAZETTEER_DATA_DIR=/var/lib/gazetteer \
    GAZETTEER_LISTEN=0.0.0.0:8080 \
    GAZETTEER_RECIPES=/etc/gazetteer/ingest-recipes
# The search index, and the catalog where no Postgres is named.
VOLUME /var/lib/gazetteer
USER gazetteer
EXPOSE 8080
# Asks for the database and the index without bringing an HTTP client into the image.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["gazetteer"]
CMD ["serve"]
