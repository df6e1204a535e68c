"""A JupyterHub for one host: settings, limits, accounts, the course's folders, a demonstration."""
