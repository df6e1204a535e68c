"""Deeds that look for what a student must not know."""

from __future__ import annotations

from .deeds import deed, deeds

FOLDERS = "the mount namespace, and landlock behind it"
PROCESSES = "the process namespace"
MEMORY = "the warm process never holds anything secret"
GRADER = "hidden tests stay in the grader's process"

# The hidden test holds NEEDLE- and the secret; this finds it and does not match itself.
SCAN = (
    "pattern = re.compile(b'NEED[L]E-[0-9a-f]{32}')\nfound = []\n"
    "memory = open('/proc/self/mem', 'rb', 0)\n"
    "for line in open('/proc/self/maps'):\n"
    "    span, rights = line.split()[:2]\n    low, high = (int(x, 16) for x in span.split('-'))\n"
    "    if 'w' not in rights: continue\n    while low < high:\n        try:\n"
    "            memory.seek(low)\n            found += pattern.findall(memory.read(min(high - low, 2**24)))\n"
    "        except (OSError, ValueError, OverflowError): pass\n        low += 2**24\nreturn found"
)

READING = deeds(
    "Reading secrets",
    "A random word lies in the course's files, in a bystander's memory and in the hidden test.",
    [
        deed("the gradebook", "everybody's marks", FOLDERS, "return read('@COURSE@/gradebook.db')"),
        deed(
            "a neighbour's submission", "an answer to copy", FOLDERS,
            "return some(glob.glob('@COURSE@/submitted/*/*/*') + ['@COURSE@/submitted/student-02/attention/lesson.ipynb'])",
        ),
        deed(
            "the instructor's source", "hidden tests", FOLDERS,
            "return some(glob.glob('@COURSE@/source/**', recursive=True) + ['@COURSE@/source/attention/hidden.py'])",
        ),
        deed(
            "the folders above the submission", "anything", FOLDERS,
            "return some(glob.glob('../*') + glob.glob('../../*') + glob.glob('../../../*'))",
        ),
        deed(
            "the checks' own files", "the reference and the tolerances", FOLDERS,
            "return some(glob.glob('@REPOSITORY@/attention_course/checks/**', recursive=True) + "
            "glob.glob('@REPOSITORY@/reference_attention/**', recursive=True) + glob.glob('@REPOSITORY@/tests/*'))",
        ),
        deed(
            "the engine's own files", "how the grader works", FOLDERS,
            "return some(glob.glob('@REPOSITORY@/attention_course/grading/[a-z]*.py'))",
        ),
        deed(
            "the reference imported", "a ready-made answer", "it is not there to import",
            "sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != 'NoAnswersHere']\n"
            "sys.path.append('@REPOSITORY@')\nimport reference_attention\nreturn dir(reference_attention)",
        ),
        deed(
            "the checks imported", "the reference and the tolerances", "they are not there to import",
            "sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != 'NoAnswersHere']\n"
            "import attention_course.checks.value_aggregation as checks\nreturn dir(checks)",
        ),
        deed(
            "the home of whoever grades", "keys and tokens", FOLDERS,
            "return some(glob.glob('/root/.*') + glob.glob('/root/*') + glob.glob('/home/*/.*/*'))",
        ),
        deed("the passwords", "another user", FOLDERS, "return some(['/etc/shadow', '/etc/sudoers'])"),
        deed(
            "shared memory of other processes", "what others left there", "private /dev/shm",
            "return some(glob.glob('/dev/shm/*') + ['/dev/shm/@MARK@'])",
        ),
        deed(
            "temporary files of others", "what others left there", "private /tmp",
            # Python and the course may themselves be installed there, for everybody to read.
            "import attention_course\n"
            "own = sys.prefix, sys.base_prefix, os.path.dirname(attention_course.__file__)\n"
            "found = glob.glob('/tmp/**', recursive=True) + glob.glob('/var/tmp/**', recursive=True)\n"
            "return some([path for path in found if not path.startswith(own)])",
        ),
        deed(
            "the environment of the grader", "tokens", PROCESSES,
            "return some(['/proc/@GRADER@/environ', '/proc/@PID@/environ'])",
        ),
        deed(
            "the environment of every process", "tokens", "an environment of its own",
            "text = b' '.join(some(glob.glob('/proc/[0-9]*/environ'))) + repr(os.environ).encode()\n"
            "return re.findall(b'SECRET[^ ]*|TOKEN[^ ]*|NBGRADER[^ ]*', text)",
        ),
        deed(
            "the memory of the grader", "the expected values", PROCESSES,
            "return some(['/proc/@GRADER@/mem', '/proc/@GRADER@/maps', '/proc/@PID@/mem'])",
        ),
        deed(
            "the root of another process", "the disk as others see it", PROCESSES,
            "return some([f'/proc/{p}/root@COURSE@/gradebook.db' for p in (1, '@GRADER@', '@PID@', 'self')])"
        ),
        deed("its own memory", "the hidden test's text", MEMORY, SCAN),
        deed(
            "every object of its own process", "the hidden test's text", MEMORY,
            "import gc\ngc.unfreeze()\npattern = re.compile('NEED[L]E-[0-9a-f]{32}')\n"
            "texts = [o for o in gc.get_objects() if isinstance(o, (list, dict, tuple))]\n"
            "return [w for t in texts for s in (t.values() if isinstance(t, dict) else t)"
            " if type(s) is str and len(s) < 10**6 for w in pattern.findall(s)]",
        ),
        deed(
            "every frame of its own process", "the hidden test's variables", GRADER,
            "found = []\nfor frame in sys._current_frames().values():\n    while frame:\n"
            "        found += re.findall('NEED[L]E-[0-9a-f]{32}', str(frame.f_locals)[:10**6])\n"
            "        frame = frame.f_back\nreturn found",
        ),
        deed(
            "the history of inputs", "the hidden test's text", GRADER,
            "ip = get_ipython()\ntext = str(ip.user_ns.get('In')) + str(ip.history_manager.input_hist_raw)\n"
            "return re.findall('NEED[L]E-[0-9a-f]{32}|asse[r]t', text)",
        ),
        deed(
            "the cache of source lines", "the hidden test's text", GRADER,
            "import linecache\nreturn re.findall('NEED[L]E-[0-9a-f]{32}', str(linecache.cache))",
        ),
        deed(
            "the modules that are loaded", "the checks", MEMORY,
            "return [n for n, m in sys.modules.items() if getattr(m, '__file__', None)"
            " and n.startswith(('reference_attention', 'attention_course.checks', 'attention_course.grading.'))"
            " and not n.startswith(('attention_course.grading.sandbox', 'attention_course.grading.batch'))]",
        ),
        deed(
            "files that were left open", "an open gradebook", "all descriptors but one are closed",
            "found = []\nfor fd in range(3, 1025):\n    try: about = os.fstat(fd)\n    except OSError: continue\n"
            "    if not stat.S_ISSOCK(about.st_mode) and os.readlink(f'/proc/self/fd/{fd}').startswith('/'):\n"
            "        found.append(os.readlink(f'/proc/self/fd/{fd}'))\n"
            "return [f for f in found if not f.startswith(('/dev/', '/proc/', '/home/student'))]",
        ),
        deed(
            "the command line it was started with", "where things lie", "it says nothing of use",
            "return re.findall('source|gradebook|@COURSE@', str(some(glob.glob('/proc/[0-9]*/cmdline'))))",
        ),
        deed(
            "the kernel's log", "what others do", "seccomp and the user without rights",
            "return some(['/dev/kmsg', '/proc/kmsg', '/proc/kcore', '/dev/mem', '/proc/kallsyms'][:4])",
        ),
        deed(
            "disks as devices", "the disk without its rights", "no devices in /dev",
            "return [d for d in glob.glob('/dev/**', recursive=True) if stat.S_ISBLK(os.lstat(d).st_mode)]",
        ),
        deed(
            "the list of mounts", "where things lie", "its own mount namespace",
            "return re.findall('@COURSE@|gradebook', open('/proc/self/mountinfo').read())",
        ),
        deed(
            "other processes' states", "who else is graded", PROCESSES,
            "return [p for p in os.listdir('/proc') if p in ('@GRADER@', '@PID@')]", level="bubblewrap",
        ),
    ],
)  # fmt: skip
