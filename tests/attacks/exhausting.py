"""Answers that use up time, memory, processes, files, or whoever reads them."""

from __future__ import annotations

from .attack import Attack, family

TIME = "the time limit: an interrupt, then the end of the process"
MEMORY = "limits on memory: of each process, and of the submission by a cgroup"
PROCESSES = "limits on processes: of the user, and of the submission by a cgroup"
FILES = "a private scratch folder of bounded size and number of files"
TEXT = "outputs are bounded, in the process and again on the grader's side"
ONE = "the end of the process is the end of that call"
TIMER = "a timer around the test in the grader's process"


def answer(
    name: str, stopped_by: str, body: str, seen: str, test: str = "assert double(4) == 8",
    own: bool = False,
) -> Attack:  # fmt: skip
    """``double`` with this body, asked by this test; the test passes for a right ``double``."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    goal = "a grading that stops or a machine that fails"
    return Attack(name, goal, stopped_by, f"def double(x):\n{lines}", seen, own, {"test": test})


EXHAUSTING = family(
    "Exhausting",
    "Half a second for a cell, 512 MiB, 32 processes, 16 MiB of files: each deed ends within them.",
    [
        answer("an endless loop", TIME, "while True: pass", "time limit"),
        answer(
            "an endless loop that takes no interrupt", TIME,
            "import signal\nfor number in range(1, 65):\n    try: signal.signal(number, signal.SIG_IGN)\n"
            "    except (OSError, ValueError): pass\nwhile True:\n    try:\n        while True: pass\n"
            "    except BaseException: pass",
            "time limit",
        ),
        answer("a long sleep", TIME, "import time\ntime.sleep(10**6)", "time limit"),
        answer(
            "a power that holds the interpreter's lock", TIME, "return 3 ** (10 ** 9)",
            "time limit|MemoryError",
        ),
        answer(
            "a regular expression that backtracks", TIME,
            "import re\nreturn re.match('(a+)+$', 'a' * 60 + 'b')", "time limit",
        ),
        answer(
            "a thread that gives up the lock to nobody", TIME,
            "import sys, threading\nsys.setswitchinterval(10**6)\n"
            "def spin():\n    while True: pass\nthreading.Thread(target=spin, daemon=True).start()\nspin()",
            "time limit",
        ),
        answer(
            "a lock that is never free", TIME,
            "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", "time limit",
        ),
        answer(
            "waiting for a line that nobody types", "no terminal, no input",
            "return input('your password: ')", "EOFError|StdinNotImplemented|Error",
        ),
        answer(
            "stopping itself", "the first process of a namespace takes no stop signal; the time limit",
            "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nreturn -1",
            "AssertionError|time limit",
        ),
        answer(
            "endless work in many threads", TIME,
            "import threading, torch\ntorch.set_num_threads(8)\nwhile True: torch.ones(500, 500) @ torch.ones(500, 500)",
            "time limit",
        ),
        answer(
            "an endless generator", TIME, "while True: yield 1", "time limit", "assert sum(double(4)) == 8\n",
        ),
        answer(
            "a number that keeps the test busy", TIMER, "return 10 ** 18", "time limit|stopped|too long",
            "total = 0\nfor _ in range(double(4)): total += 1\nassert total == 8",
        ),
        answer(
            "an object whose length takes for ever", TIME,
            "class Slow:\n    def __len__(self):\n        while True: pass\nreturn Slow()",
            "time limit", "assert double(4) == 8 or len(double(4)) == 8",
        ),
        answer(
            "an object whose attributes take for ever", TIME,
            "class Slow:\n    def __getattr__(self, name):\n        while True: pass\nreturn Slow()",
            "time limit", "assert double(4) == 8 or double(4).shape",
        ),
        answer(
            "a result that takes for ever to encode", TIME,
            "class Meta(type):\n    @property\n    def __mro__(cls):\n        while True: pass\n"
            "class Slow(metaclass=Meta): pass\nreturn Slow()", "time limit|AssertionError",
        ),
        answer("a hundred gigabytes at once", MEMORY, "return bytearray(100 * 2**30)", "MemoryError"),
        answer(
            "three gigabytes, touched", MEMORY,
            "kept = []\nfor _ in range(48): kept.append(bytearray(b'x') * 2**26)\nreturn len(kept)",
            "MemoryError|used more than|SIGKILL",
        ),
        answer(
            "four processes of four hundred megabytes", MEMORY,
            "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        kept = bytearray(b'x') * (400 * 2**20)\n"
            "        time.sleep(30)\ntime.sleep(30)",
            "time limit|used more than|SIGKILL|MemoryError",
        ),
        answer(
            "memory shared by mapping", MEMORY,
            "import mmap\nkept = [mmap.mmap(-1, 2**30) for _ in range(64)]\nreturn len(kept)", "Error",
        ),
        answer("a tensor of a trillion numbers", MEMORY, "import torch\nreturn torch.zeros(10**12)", "Error"),
        answer(
            "a compressed terabyte", MEMORY,
            "import zlib\nwhole = zlib.compressobj()\npart = whole.compress(bytes(2**26))\n"
            "kept = [zlib.decompress(zlib.compress(bytes(2**26))) for _ in range(64)]",
            "MemoryError|time limit|used more",
        ),
        answer(
            "a fork bomb", PROCESSES, "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
            "time limit|answer|AnswerStopped",
        ),
        answer(
            "a bomb of sessions", PROCESSES,
            "import os\nwhile True:\n    try:\n        if os.fork() == 0: os.setsid()\n    except OSError: pass",
            "time limit|AnswerStopped",
        ),
        answer(
            "a bomb of threads", PROCESSES,
            "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
            "can't start new thread|time limit|Error",
        ),
        answer(
            "a bomb of programs", PROCESSES,
            "import subprocess\nkept = [subprocess.Popen(['sleep', '99']) for _ in range(500)]", "Error|time limit",
        ),
        answer("every descriptor", "a limit on open files", "kept = [open('/dev/null') for _ in range(9999)]", "Too many open files"),
        answer(
            "every pipe and terminal", "a limit on open files",
            "import os\nkept = []\nwhile True: kept += [os.pipe(), os.openpty()]",
            "Too many open files|Permission|No such|out of pty",
        ),
        answer(
            "a full disk", FILES,
            "for n in range(99):\n    with open(f'file-{n}', 'wb') as f: f.write(bytes(2**20))", "No space left",
        ),
        answer(
            "a full temporary folder and shared memory", FILES,
            "import os\nfor place in ('/tmp', '/dev/shm', os.environ['HOME']):\n"
            "    for n in range(99):\n        with open(f'{place}/file-{n}', 'wb') as f: f.write(bytes(2**20))",
            "No space left|Permission",
        ),
        answer(
            "one big file", "a limit on a file's size",
            "with open('big', 'wb') as f:\n    while True: f.write(bytes(2**20))", "File too large|No space",
        ),
        answer(
            "a file of a petabyte with nothing in it", "a limit on a file's size",
            "with open('big', 'wb') as f: f.truncate(2**50)", "File too large",
        ),
        answer(
            "a hundred thousand small files", FILES,
            "for n in range(100_000): open(f'file-{n}', 'w').close()", "No space left|time limit",
        ),
        answer(
            "a folder ten thousand deep", FILES,
            "import os\nfor n in range(10_000):\n    os.mkdir('d')\n    os.chdir('d')", "No space left|time limit|Error",
        ),
        answer(
            "a gigabyte printed", TEXT, "for _ in range(1000): print('x' * 10**6)\nreturn -1",
            "cut off|AssertionError|time limit",
        ),
        answer("printing without an end", TEXT, "while True: print('x')", "time limit"),
        answer(
            "a gigabyte displayed", TEXT,
            "from IPython.display import HTML, display\nfor _ in range(100): display(HTML('x' * 10**7))\nreturn -1",
            "left out|AssertionError|time limit|cut",
        ),
        answer("a result of three hundred million letters", "sizes are bounded", "return 'x' * 300_000_000", "Error|sent|larger|ended"),
        answer("a list of ten million numbers", "sizes are bounded", "return [0] * 10**7", "Error|time limit|larger"),
        answer(
            "a recursion without an end", ONE,
            "import sys\nsys.setrecursionlimit(10**9)\ndef again(): return again()\nagain()",
            "SIGSEGV|time limit|ended|MemoryError",
        ),
        answer(
            "a stack overflow in C", ONE,
            "import sys\nsys.setrecursionlimit(10**9)\nnested = []\nfor _ in range(10**6): nested = [nested]\nreturn repr(nested)",
            "SIGSEGV|ended|MemoryError|Error|time limit",
        ),
        answer("a crash", ONE, "import ctypes\nctypes.string_at(0)", "SIGSEGV|ended"),
        answer("an abort with a core dump", ONE, "import os\nos.abort()", "SIGABRT|ended|SIGSEGV|exit"),
        answer("every signal to itself", ONE, "import os\nfor n in range(1, 65):\n    try: os.kill(os.getpid(), n)\n    except OSError: pass\nreturn -1", "Error|ended|Stopped"),
        answer(
            "ended while it answers", ONE,
            "import os, threading\nthreading.Timer(0.01, lambda: os._exit(3)).start()\nimport time\ntime.sleep(9)",
            "exit code 3",
        ),
    ],
)  # fmt: skip
