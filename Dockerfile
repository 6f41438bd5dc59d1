# Every process of Tickhouse in one image; compose.yaml says which runs where.
# Two stages, so that the installer and its cache stay behind. Another base by --build-arg BASE: any Debian with Python.
ARG BASE=python:3.12-slim@sha256:57cd7c3a7a273101a6485ba99423ee568157882804b1124b4dd04266317710de
FROM ${BASE} AS environment
WORKDIR /opt/tickhouse
COPY requirements/bootstrap.txt requirements/server.txt requirements/
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/bootstrap.txt \
    && .venv/bin/uv pip sync --python .venv/bin/python --no-cache --require-hashes requirements/server.txt
COPY . .
# Compiled here, for later nobody may write beside the code: each of a stack's processes would compile a thousand
# modules anew at each start. Packages bring some files that are no Python, hence the last word.
RUN .venv/bin/uv pip install --python .venv/bin/python --no-cache --no-deps --no-build-isolation --editable . \
    && { .venv/bin/python -m compileall -q -q -j 0 --invalidation-mode unchecked-hash . || true; } \
    && rm -f .venv/.lock

FROM ${BASE}
# LightGBM links against the system's OpenMP. The user's own folder is root's and apart from the state: what is trusted
# of people's signatures lies there (controls.trust), and would be refused within the state.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /etc/tickhouse tickhouse \
    && install --directory --mode 0755 /etc/tickhouse \
    && install --directory --owner tickhouse --mode 0750 /var/lib/tickhouse
COPY --from=environment /opt/tickhouse /opt/tickhouse
# The code is root's and read-only: what numba compiles is kept with the state.
ENV PATH=/opt/tickhouse/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/var/lib/tickhouse/cache/numba \
    TICKHOUSE_HOME=/var/lib/tickhouse
USER tickhouse
WORKDIR /var/lib/tickhouse
VOLUME /var/lib/tickhouse
CMD ["tickhouse", "status"]
