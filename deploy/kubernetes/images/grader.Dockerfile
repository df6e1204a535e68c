# A Dask scheduler, a worker, the job that writes, or the instructor's pod: docker build -f deploy/kubernetes/images/grader.Dockerfile .
FROM docker.io/library/python:3.11-slim-bookworm
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# bubblewrap keeps each submission apart from the others and from the worker.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 grader
WORKDIR /opt/attention-course
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY reference_attention ./reference_attention
COPY attention_course ./attention_course
COPY cache/models/bundled ./cache/models/bundled
RUN python -m pip install --no-cache-dir --constraint constraints.txt \
      --editable '.[graders,postgresql]' rapidfuzz requests
# It asks for a jupyter_core of 2022, which nothing else here can use; what it imports is there.
RUN python -m pip install --no-cache-dir --no-deps ngshare-exchange==0.5.3
COPY deploy/kubernetes/images/programs/ /usr/local/bin/
USER grader
WORKDIR /home/grader
ENTRYPOINT ["tini", "--"]
CMD ["dask", "worker", "--help"]
