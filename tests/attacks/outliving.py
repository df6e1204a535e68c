"""What one submission would leave behind: a process, a file, or a word to the next."""

from __future__ import annotations

from .attack import Attack, family

DIES = "the process namespace dies whole; without one, the warm process ends what is left"
FRESH = "every submission is a fork of a process that has run none"
PRIVATE = "folders of its own, which end with it"
NO_IPC = "seccomp, and an IPC namespace behind it"

# Every process that an attack leaves carries this name in /proc.
NAMED = "import ctypes, os, sys, time\nctypes.CDLL(None).prctl(15, b'@MARK@', 0, 0, 0)\n"


def left(name: str, stopped_by: str, code: str, look: str = "[]") -> Attack:
    """``look`` is what the next submission looks for: an expression that must be empty."""
    goal = "work that goes on after the grading, or a neighbour that is helped or harmed"
    return Attack(name, goal, stopped_by, NAMED + code, more={"look": look})


HERE = "'/tmp', '/var/tmp', '/dev/shm', '/run', os.environ['HOME'], os.getcwd(), '/dev', '/dev/mqueue', '/'"

OUTLIVING = family(
    "Outliving",
    "One submission does the deed; then nothing of it runs, and the next one looks for it.",
    [
        left("a child that goes on", DIES, "if os.fork() == 0:\n    time.sleep(300)\n    os._exit(0)"),
        left(
            "a daemon of two forks and a new session", DIES,
            "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.closerange(0, 999)\n"
            "        time.sleep(300)\n    os._exit(0)\nos.wait()",
        ),
        left(
            "a daemon that ignores every signal", DIES,
            "import signal\nif os.fork() == 0:\n    for n in range(1, 65):\n"
            "        try: signal.signal(n, signal.SIG_IGN)\n        except (OSError, ValueError): pass\n"
            "    while True: time.sleep(1)",
        ),
        left(
            "a process that runs away by forking", DIES,
            "if os.fork() == 0:\n    while True:\n        try:\n            if os.fork(): os._exit(0)\n"
            "        except OSError: pass\n        time.sleep(0.001)",
        ),
        left(
            "a program in the background", DIES,
            "import subprocess\nsubprocess.Popen(['setsid', 'sleep', '86399', '@MARK@'.replace('att', '8')]"
            "[:3], start_new_session=True)",
            "[p for p in __import__('glob').glob('/proc/[0-9]*/cmdline') if b'86399' in open(p, 'rb').read()]",
        ),
        left(
            "a thread, a timer and work at exit", FRESH,
            "import atexit, threading\natexit.register(lambda: time.sleep(300))\n"
            "threading.Timer(0.2, lambda: time.sleep(300)).start()\n"
            "threading.Thread(target=time.sleep, args=(300,)).start()",
            "__import__('threading').enumerate()[1:]",
        ),
        left(
            "an alarm and a stopped child", DIES,
            "import signal\nsignal.setitimer(signal.ITIMER_REAL, 30)\n"
            "if os.fork() == 0: os.kill(os.getpid(), signal.SIGSTOP)",
        ),
        left(
            "shared memory, semaphores and queues of System V", NO_IPC,
            "libc = ctypes.CDLL(None)\nkey = int('@MARK@'[3:9], 16)\n"
            "libc.shmget(key, 4096, 0o1666), libc.msgget(key, 0o1666), libc.semget(key, 1, 0o1666)",
            "[k for k in ('shm', 'msg', 'sem') if len(open('/proc/sysvipc/' + k).readlines()) > 1"
            " and str(int('@MARK@'[3:9], 16)) in open('/proc/sysvipc/' + k).read()]",
        ),
        left(
            "a message queue with a name", NO_IPC,
            "ctypes.CDLL('librt.so.1').mq_open(b'/@MARK@-x', 0o102, 0o666, None)",
            "ctypes.CDLL('librt.so.1').mq_open(b'/@MARK@-x', 2) >= 0",
        ),
        left(
            "an abstract socket", "seccomp, and a network namespace behind it",
            "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0@MARK@-x')\ns.listen()",
            "'@MARK@-x' in open('/proc/net/unix').read()",
        ),
        left(
            "files wherever it may write", PRIVATE,
            f"for place in ({HERE}):\n    try: open(place + '/@MARK@-x', 'w').close()\n    except OSError: pass",
            f"[p for place in ({HERE}) for p in __import__('glob').glob(place + '/@MARK@-*')]",
        ),
        left(
            "files that programs read at their start", PRIVATE,
            "home = os.environ['HOME']\nfor name in ('.bashrc', '.profile', '.pythonrc', '.netrc', '.ipython/profile_default/startup/00.py', "
            "'.local/lib/python3.11/site-packages/sitecustomize.py', '.config/matplotlib/matplotlibrc', '.jupyter/jupyter_config.py'):\n"
            "    os.makedirs(os.path.dirname(f'{home}/{name}'), exist_ok=True)\n    open(f'{home}/{name}', 'w').write('# @MARK@')",
            "[n for place, _, names in os.walk(os.environ['HOME']) for n in names"
            " if '@MARK@' in open(f'{place}/{n}', errors='replace').read()"
            " and 'mine' != n]" ,
        ),
        left(
            "compiled modules beside the libraries", "read-only mounts",
            "import importlib.util, torch\nopen(importlib.util.cache_from_source(torch.__file__), 'ab').write(b'@MARK@')",
            "b'@MARK@' in open(__import__('importlib.util').util.cache_from_source(__import__('torch').__file__), 'rb').read()",
        ),
        left(
            "changed libraries", FRESH,
            "import builtins, torch\nbuiltins.left = torch.left = '@MARK@'\ntorch.set_default_dtype(torch.float64)\n"
            "torch.nn.functional.softmax = None\nsys.path.append('@MARK@')\nos.environ['LEFT'] = '@MARK@'\nos.umask(0)",
            "[hasattr(__import__('builtins'), 'left'), '@MARK@' in sys.path, 'LEFT' in os.environ,"
            " __import__('torch').get_default_dtype() != __import__('torch').float32] != [False] * 4",
        ),
        left(
            "a changed shell", FRESH,
            "ip = get_ipython()\nip.user_ns['left'] = 1\nip.events.register('pre_run_cell', lambda *a: 1 / 0)\n"
            "ip.input_transformers_cleanup.append(lambda lines: ['pass'])\nip.run_line_magic('alias', 'left ls')",
            "'left' in globals()",
        ),
        left(
            "lower limits and priorities", FRESH,
            "import resource\nos.nice(19)\nresource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
            "resource.setrlimit(resource.RLIMIT_STACK, (2**20, 2**20))",
            "os.getpriority(os.PRIO_PROCESS, 0) > 10 or __import__('resource').getrlimit(7)[0] <= 20",
        ),
        left(
            "keys in the kernel's keyring", NO_IPC,
            "ctypes.CDLL(None).syscall(248 if os.uname().machine == 'x86_64' else 217, b'user', b'@MARK@', b'x', 1, -4)",
            "'@MARK@' in open('/proc/keys').read() if os.path.exists('/proc/keys') and os.access('/proc/keys', 4) else 0",
        ),
        left(
            "files that it locked", PRIVATE,
            "import fcntl\nkept = []\nfor place in ('/usr/bin/env', os.__file__):\n"
            "    kept.append(open(place))\n    fcntl.flock(kept[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
            "if os.fork() == 0: time.sleep(300)",
            "__import__('fcntl').flock(open(os.__file__), 2 | 4)",
        ),
    ],
)  # fmt: skip
