"""Every server on this hub: its kernels listen on sockets that only their owner may open."""

c = get_config()  # noqa: F821 - traitlets gives it to configuration files

c.KernelManager.transport = "ipc"
