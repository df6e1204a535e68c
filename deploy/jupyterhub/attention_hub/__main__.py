"""``make hub``: the course's JupyterHub with two made-up students, until Ctrl-C."""

from __future__ import annotations

import sys

from attention_hub.demonstration import main

sys.exit(main())
