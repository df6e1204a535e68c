"""One file a command of ``attention-course``; each says ``register(app)`` and loads late.

What a command imports at the top of its file is paid for by every other command, so heavy
libraries (torch, nbgrader) are imported inside the functions that use them.
"""
