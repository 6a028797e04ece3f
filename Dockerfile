# The worker: docker build -t learnsvc . && docker run learnsvc --help
# BASE needs python3 3.11 or newer with venv on its PATH; the same one for both stages, for a venv points at it.
# Analysis and learning are compiled with gcc, which apt brings; with a BASE without apt, --build-arg COMPILED=0 leaves
# them Python.
# Behind a mirror, pip is configured from outside: --build-arg PIP_INDEX_URL=..., or a mounted pip.conf.
ARG BASE=docker.io/library/python:3.13-slim-bookworm

# hadolint ignore=DL3006
FROM ${BASE} AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_CERT
ARG COMPILED=1
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
# Debian's python3 has its headers in a package of their own, Docker's python brings them. None of this is in the image.
# hadolint ignore=DL3008
RUN [ "$COMPILED" != 1 ] || { apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && { [ -e "$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] \
        || apt-get install --yes --no-install-recommends python3-dev; }; }
RUN python3 -m venv /opt/learnsvc
# The dependencies are a layer of their own: they change seldom. Wheels only, none of them is compiled here.
COPY requirements.txt ./
RUN /opt/learnsvc/bin/pip install --only-binary :all: --require-hashes -r requirements.txt
COPY LICENSE README.md pyproject.toml ./
COPY schemas schemas
COPY service service
# The build back-end and mypyc are pinned in pyproject.toml. pip is gone afterwards: nothing is installed into a running
# worker.
RUN HATCH_BUILD_HOOK_ENABLE_MYPYC=$COMPILED /opt/learnsvc/bin/pip install --no-deps . \
    && /opt/learnsvc/bin/python -m compileall -q /opt/learnsvc/lib \
    && /opt/learnsvc/bin/pip uninstall --yes pip setuptools

# hadolint ignore=DL3006
FROM ${BASE}
LABEL org.opencontainers.image.title="learnsvc" \
    org.opencontainers.image.description="Learns a writer's style from saved edits: Redis Streams in, MongoDB profiles out." \
    org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/learnsvc /opt/learnsvc
ENV PATH=/opt/learnsvc/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LEARNING_HTTP_HOST=0.0.0.0
WORKDIR /tmp
USER 10001:10001
EXPOSE 3002
# No shell in between: SIGTERM reaches Python, which drains and exits 0.
ENTRYPOINT ["learnsvc"]
CMD ["consume"]
