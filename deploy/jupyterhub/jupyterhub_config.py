"""The course's JupyterHub on one host. What differs between hosts is in hub.toml."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from attention_hub.settings import read  # noqa: E402 - it lies beside this file
from attention_hub.spawner import CourseSpawner  # noqa: E402

c = get_config()  # noqa: F821 - traitlets gives it to configuration files
settings = read()

# Who is let in. docs/hub.md has three lines for OAuth or LDAP, to be put in the next one's place.
c.JupyterHub.authenticator_class = "pam"
if settings.password is not None:  # the demonstration's
    c.JupyterHub.authenticator_class = "dummy"
    c.DummyAuthenticator.password = settings.password
c.Authenticator.allowed_users = {settings.instructor, *settings.colleagues, *settings.students}
c.Authenticator.allow_all = not settings.students and settings.password is None

# Each user's server runs as that user; nbgrader takes the name of the account.
c.JupyterHub.spawner_class = CourseSpawner.of(settings)
c.Spawner.default_url = "/lab"
c.Spawner.notebook_dir = "~"
c.Spawner.args = list(settings.server_arguments)
c.Spawner.environment = {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin:/usr/bin:/bin"])
}
c.Spawner.cmd = [str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
# A server that does not end at once when asked is ended; the work is on disk.
c.LocalProcessSpawner.interrupt_timeout = 5
c.LocalProcessSpawner.term_timeout = 5
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 60

c.JupyterHub.bind_url = settings.address
c.JupyterHub.cookie_secret_file = str(settings.state / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{settings.state / 'hub.sqlite'}"
c.JupyterHub.hub_ip = "127.0.0.1"
if settings.hub_port is not None:
    c.JupyterHub.hub_port = settings.hub_port
if settings.proxy_port is not None:
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings.proxy_port}"
c.ConfigurableHTTPProxy.pid_file = str(settings.state / "proxy.pid")
proxy = FOLDER / "node_modules" / ".bin" / "configurable-http-proxy"
if proxy.exists() and shutil.which("configurable-http-proxy") is None:
    c.ConfigurableHTTPProxy.command = [str(proxy)]
c.JupyterHub.cleanup_servers = True

c.JupyterHub.load_roles = []
c.JupyterHub.services = []
if settings.colleagues:
    # Colleagues grade in the instructor's server, where the course lies.
    own = f"!user={settings.instructor}"
    c.JupyterHub.load_roles.append(
        {
            "name": "colleagues",
            "users": list(settings.colleagues),
            "scopes": [f"{scope}{own}" for scope in ("servers", "access:servers", "read:users")],
        }
    )
if importlib.util.find_spec("jupyterhub_idle_culler") is not None:
    # A server that nobody used for two hours gives its memory back; the work is on disk.
    c.JupyterHub.load_roles.append(
        {
            "name": "idle-culler",
            "services": ["idle-culler"],
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        }
    )
    c.JupyterHub.services.append(
        {
            "name": "idle-culler",
            "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=7200"],
        }
    )
