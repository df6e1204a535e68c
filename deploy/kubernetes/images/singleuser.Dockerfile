# A student's or an instructor's server: docker build -f deploy/kubernetes/images/singleuser.Dockerfile .
FROM docker.io/library/python:3.11-slim-bookworm
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN useradd --create-home --uid 1000 --shell /bin/bash jovyan
WORKDIR /opt/attention-course
# The packages first, for they change least.
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY reference_attention ./reference_attention
COPY attention_course ./attention_course
COPY cache/models/bundled ./cache/models/bundled
COPY jupyterlab_ext ./jupyterlab_ext
# The hub's own version, which the chart decides: servers of another major one cannot log in.
ARG JUPYTERHUB=5.5.0
RUN grep -v '^jupyterhub==' constraints.txt > /tmp/constraints.txt \
    && python -m pip install --no-cache-dir --constraint /tmp/constraints.txt \
      --editable '.[students]' ./jupyterlab_ext "jupyterhub==$JUPYTERHUB" rapidfuzz requests
# It asks for a jupyter_core of 2022, which nothing else here can use; what it imports is there.
RUN python -m pip install --no-cache-dir --no-deps ngshare-exchange==0.5.3
COPY deploy/kubernetes/images/nbgrader_config.py /etc/jupyter/nbgrader_config.py
USER jovyan
WORKDIR /home/jovyan
EXPOSE 8888
CMD ["jupyterhub-singleuser"]
