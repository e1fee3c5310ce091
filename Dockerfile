# Easel in a container: built by the same targets that CI runs, then only the program and ONNX Runtime's library on a
# small Debian. docs/operations.md says how to run it; cmd/easel/docker_test.go keeps what is written here true.
FROM golang:1.26-bookworm AS go

FROM rust:1-bookworm AS build
COPY --from=go /usr/local/go /usr/local/go
ENV PATH=/usr/local/go/bin:$PATH EASEL_CACHE=/cache
WORKDIR /src
# The native parts change rarely, so they have a layer of their own.
COPY go.mod go.sum Makefile ./
COPY scripts scripts
RUN make setup
COPY . .
ARG VERSION=container
RUN make build VERSION=$VERSION

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 && rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin easel \
	&& install -d -o easel -g easel -m 700 /data
COPY --from=build /src/bin/easel /src/bin/libonnxruntime.so /opt/easel/
ENV PATH=/opt/easel:$PATH EASEL_DATA_DIR=/data EASEL_LISTEN=127.0.0.1:8321
USER easel
# An easel.yaml in the data folder is found here. Nothing else is ever written.
WORKDIR /data
VOLUME /data
# There is no curl in here; bash can ask for itself. EASEL_LISTEN decides the port, also over easel.yaml.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
	CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/${EASEL_LISTEN##*:} && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [[ $status == 200 ]]"]
ENTRYPOINT ["easel"]
CMD ["serve"]
