# syntax=docker/dockerfile:1
# The api. Build from the checkout's root: docker build -f deploy/images/api.Dockerfile -t rb-ocr-api .
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p rb-ocr-api -p rb-ocr-cli

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin rb-ocr \
    && install -d -o rb-ocr -g rb-ocr -m 0700 /var/lib/rb-ocr/documents
COPY --from=build /src/target/release/rb-ocr-api /src/target/release/rb-ocr /usr/local/bin/
USER 10001
ENV API_LISTEN=0.0.0.0:8080
EXPOSE 8080
# Alive, asked without any program that the image would need for this alone. Whether it is ready is for the balancer.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r -u 3 _ status _ && [[ $status == 200 ]]"]
# The binary drains on SIGTERM by itself; nothing stands between it and the signal.
ENTRYPOINT ["/usr/local/bin/rb-ocr-api"]
