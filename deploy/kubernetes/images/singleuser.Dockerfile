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
RUN python -m pip install --no-cache-dir --constraint constraints.txt \
      --editable '.[students,hub]' ./jupyterlab_ext ngshare-exchange==0.5.3
COPY deploy/kubernetes/images/nbgrader_config.py /etc/jupyter/nbgrader_config.py
USER jovyan
WORKDIR /home/jovyan
EXPOSE 8888
CMD ["jupyterhub-singleuser"]
