# One image with the one binary: `outrigger proxy`, `outrigger control`, and the operator's commands.
#
#   docker build -t outrigger .
#   docker run --rm -v "$PWD/config-examples/quickstart:/etc/outrigger:ro" outrigger validate /etc/outrigger/proxy-caller.yaml

FROM rust:1.95-bookworm AS build
# cmake builds zlib-ng for pingora; the base image has the C compiler.
RUN apt-get update -q && apt-get install -y -q --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p outrigger && strip target/release/outrigger

FROM debian:bookworm-slim
# The id that Kubernetes' restricted profile and distroless images use for "nobody in particular".
RUN useradd --uid 65532 --user-group --no-create-home --home-dir /nonexistent outrigger \
    && install -d -o 65532 -g 65532 /var/lib/outrigger
COPY --from=build /src/target/release/outrigger /usr/local/bin/outrigger
USER 65532:65532
# The only place that is written to: the last good snapshot, and control's database. Everything else may be read-only.
WORKDIR /var/lib/outrigger
VOLUME /var/lib/outrigger
# Calls of the own agent, calls of other proxies, health and metrics of a proxy; gRPC of control.
EXPOSE 17001 17006 17020 17010
ENTRYPOINT ["outrigger"]
CMD ["--help"]
