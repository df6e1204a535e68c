"""The lab extension beside the attention course's lesson; its code is TypeScript, in src/."""

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyterlab-attention"}]
