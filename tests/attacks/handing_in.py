"""Files in the submission's folder, and what its code makes of the folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .attack import Attack, family

Prepare = Callable[[Path, Any], object]

NO_LINKS = "files travel as data; links and special files are passed over"
OURS = "tests never import from the submission's folder"
BRINGS = "what comes back is checked again: relative, regular, bounded"


def files(
    name: str, stopped_by: str, prepare: Prepare, look: str = "open('x').read()", seen: str = ""
) -> Attack:
    """``prepare`` lays the files out in (folder, world); ``look`` is what the code tries."""
    goal = "a file outside, or code in the grader's process"
    return Attack(name, goal, stopped_by, f"found = {look}", seen, more={"prepare": prepare})


def deed(name: str, stopped_by: str, code: str, prepare: Prepare | None = None) -> Attack:
    goal = "a file outside, or a grader that fails"
    return Attack(name, goal, stopped_by, code, more={"prepare": prepare or (lambda *a: None)})


def collected(name: str, value: str) -> Attack:
    code = (
        "from attention_course.grading.sandbox import child\n"
        f"child.StudentProcess.do_collect = lambda *a: {value}"
    )
    return deed(f"files that come back: {name}", BRINGS, code)


def module(name: str, text: str = "raise SystemExit('@MARK@')") -> Prepare:
    return lambda folder, world: (folder / name).write_text(text)


HANDING_IN = family(
    "Files of the submission",
    "Laid into the submission's folder, or made there by its code.",
    [
        files(
            "a link to the gradebook", NO_LINKS,
            lambda folder, world: (folder / "x").symlink_to(world.root / "gradebook.db"),
            seen="FileNotFoundError",
        ),
        files(
            "a link to the folder of the course", NO_LINKS,
            lambda folder, world: (folder / "d").symlink_to(world.root),
            "open('d/source/attention/hidden.py').read()", "FileNotFoundError",
        ),
        files(
            "a relative link upwards", NO_LINKS,
            lambda folder, world: (folder / "x").symlink_to("../../student-02/attention/lesson.ipynb"),
            seen="FileNotFoundError",
        ),
        deed(
            "a link to the gradebook, written to", "files come back through no link",
            "open('x', 'w').write('forged')",
            lambda folder, world: (folder / "x").symlink_to(world.root / "gradebook.db"),
        ),
        deed(
            "a link to a folder, written into", "files come back through no link",
            "import os\nos.makedirs('d')\nopen('d/gradebook.db', 'w').write('forged')",
            lambda folder, world: (folder / "d").symlink_to(world.root),
        ),
        deed(
            "a link that its code makes", NO_LINKS,
            "import os\nos.symlink('@COURSE@/gradebook.db', 'made')\nos.symlink('/etc/shadow', 'shadow')",
        ),
        deed(
            "a pipe that nobody writes to", NO_LINKS, "import os\nos.mkfifo('made')",
            lambda folder, world: os.mkfifo(folder / "x"),
        ),
        deed("a file where a folder was", BRINGS, "import os, shutil\nshutil.rmtree('d')\nopen('d', 'w').close()",
             lambda folder, world: ((folder / "d").mkdir(), (folder / "d" / "x").write_text(""))),
        deed("a folder where a file was", BRINGS, "import os\nos.remove('x')\nos.mkdir('x')\nopen('x/y', 'w').close()",
             lambda folder, world: (folder / "x").write_text("")),
        deed(
            "fifteen hundred nested folders", BRINGS,
            "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')\nopen('x', 'w').close()",
        ),
        deed(
            "nine hundred nested folders handed in", BRINGS, "pass",
            lambda folder, world: os.makedirs(f"{folder}/" + "d/" * 900),
        ),
        deed(
            "names with line ends, markup and half characters", BRINGS,
            "for name in (b'\\xff\\xfe', b'a\\nb', b'<script>', b'-rf *', b'$(id)', b'a' * 250, b'..x'):\n"
            "    open(name, 'w').close()",
        ),
        deed(
            "thirty thousand files", "a private folder with a bounded number of files",
            "try:\n    for n in range(30_000): open(f'file-{n}', 'w').close()\nexcept OSError: pass",
        ),
        deed("a notebook written over", "notebooks never come back as files",
             "for name in ('lesson.ipynb', 'd.ipynb'): open(name, 'w').write('{}')"),
        deed("hooks and settings for later", "nothing runs in that folder but in a sandbox",
             "import os\nos.makedirs('.git/hooks')\nfor name in ('.git/hooks/post-commit', 'Makefile', 'setup.cfg', 'x.pth'):\n"
             "    open(name, 'w').write('import os')"),
        collected("absolute and upward paths", "{'/tmp/@MARK@-x': b'1', '../@MARK@-x': b'1', 'a/../../@MARK@-x': b'1', '/dev/shm/@MARK@': b'1'}"),
        collected("a name of three hundred letters", "{'x' * 300: b'1'}"),
        collected("a file and a folder of one name", "{'a': b'1', 'a/b': b'2'}"),
        collected("two thousand nested folders", "{'d/' * 2000 + 'x': b''}"),
        collected("names that no disk takes", "{'\\ud800': b'', 'a\\0b': b'', '.': b'', '': b'', ' /': b''}"),
        collected("values that are no files", "{'a': 5, 5: b'', 'b': [b''], None: None}"),
        collected("a list", "[1, 2]"),
        collected("thirty thousand files", "{str(n): b'' for n in range(30_000)}"),
        collected("more than agreed", "{str(n): bytes(2**24) for n in range(16)}"),
        *(
            files(f"a file {name}", OURS, module(name), "1")
            for name in ("torch.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "json.py",
                         "nbgrader_config.py", "attention_course.py", "IPython.py", "x.pth", "hidden.py",
                         ".ipython/profile_default/startup/00-x.py", "pyproject.toml", "ipython_config.py")
        ),
    ],
)  # fmt: skip
