"""How long things take here, beside others, in one run."""
