# Two stages: the first builds wheels of exactly the tested versions, the second has no compiler,
# no pip cache and no source. Build: docker build -t kos-engine .
FROM python:3.11-slim AS build
WORKDIR /src
COPY setup.cfg pyproject.toml README.md LICENSE constraints.txt ./
COPY kos kos
RUN pip wheel --no-cache-dir --constraint constraints.txt --wheel-dir /wheels \
    ".[charts,metrics,socks,telegram]"

FROM python:3.11-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    python -m venv /opt/kos \
    && /opt/kos/bin/pip install --no-cache-dir --no-index --find-links /wheels \
        "kos-engine[charts,metrics,socks,telegram]" \
    && /opt/kos/bin/python -m compileall -q /opt/kos/lib \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/kos
ENV PATH=/opt/kos/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/kos \
    KOS_SERVICE__STATE_DIR=/var/lib/kos \
    CREDENTIALS_DIRECTORY=/run/secrets
USER 10001:10001
WORKDIR /var/lib/kos
VOLUME /var/lib/kos
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["kos", "health", "--quiet"]
ENTRYPOINT ["kos"]
CMD ["run"]
