"""Deeds that try to leave the sandbox or to reach through its walls."""

from __future__ import annotations

from .deeds import deed, deeds, system_calls

SECCOMP = "seccomp"
NETWORK = "seccomp refuses sockets; behind it an empty network namespace"
READ_ONLY = "read-only mounts, landlock behind them"
RIGHTS = "a user of its own without capabilities"
PROCESSES = "the process namespace, a user of its own, landlock's scopes"
LIMITS = "hard limits cannot be raised"

ESCAPING = deeds(
    "Escaping",
    "All with the rights that the student's process has; none changes anything outside.",
    [
        *system_calls(
            "reading or steering another process", SECCOMP,
            {
                "ptrace": "16, int('@PID@'), 0, 0", "process_vm_readv": "int('@PID@'), 0, 0, 0, 0, 0",
                "process_vm_writev": "int('@PID@'), 0, 0, 0, 0, 0", "pidfd_open": "int('@PID@'), 0",
                "pidfd_getfd": "3, 0, 0", "perf_event_open": "0, -1, 0, -1, 0",
                "kcmp": "os.getpid(), int('@PID@'), 0, 0, 0", "process_madvise": "3, 0, 0, 0, 0",
            },
        ),
        *system_calls(
            "another view of the disk", SECCOMP,
            {
                "mount": "b'none', b'/tmp', b'tmpfs', 0, 0", "umount2": "b'/proc', 2",
                "pivot_root": "b'.', b'.'", "chroot": "b'.'", "open_by_handle_at": "-100, 0, 0",
                "name_to_handle_at": "-100, b'.', 0, 0, 0", "open_tree": "-100, b'/', 1",
                "move_mount": "0, b'', 0, b'', 0", "fsopen": "b'tmpfs', 0", "swapon": "b'x', 0",
                "quotactl": "0, 0, 0, 0", "fanotify_init": "0, 0",
                "mknodat": "-100, b'device', 0o60666, 0x800",
            },
        ),
        *system_calls(
            "new namespaces with rights in them", SECCOMP,
            {"unshare": "0x10000000", "setns": "3, 0", "clone3": "0, 0"},
        ),
        *system_calls(
            "the kernel's own machinery", SECCOMP,
            {
                "bpf": "0, 0, 0", "io_uring_setup": "1, 0", "userfaultfd": "0", "keyctl": "0, -3, 0",
                "add_key": "b'user', b'x', b'x', 1, -3", "kexec_load": "0, 0, 0, 0",
                "init_module": "0, 0, b''", "finit_module": "3, b'', 0", "delete_module": "b'none', 0",
                "reboot": "0, 0, 0", "acct": "0", "syslog": "3, 0, 0", "settimeofday": "0, 0",
                "sethostname": "b'x', -1", "personality": "0x0040000",
            },
        ),
        *system_calls(
            "more rights", "a user without rights, and seccomp",
            {"setresuid": "0, 0, 0", "capset": "0, 0"},
        ),
        deed(
            "a connection to this machine", "a service on loopback", NETWORK,
            "socket.create_connection(('127.0.0.1', @PORT@), 2).sendall(b'x')\nreturn 'reached'",
        ),
        deed(
            "a datagram to this machine", "a service on loopback", NETWORK,
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @UDP@))\nreturn 'sent'",
        ),
        deed(
            "an abstract socket", "a service of this machine", NETWORK,
            "s = socket.socket(socket.AF_UNIX)\ns.connect('\\0@MARK@')\nreturn 'reached'",
        ),
        deed(
            "a socket in a folder", "a service of this machine", NETWORK,
            "s = socket.socket(socket.AF_UNIX)\ns.connect('@COURSE@/socket')\nreturn 'reached'",
        ),
        deed(
            "raw and packet sockets", "the network below its rules", NETWORK,
            "got = []\nfor kind in ((2, 3, 1), (17, 3, 768), (16, 3, 0), (40, 1, 0), (38, 5, 0), (10, 1, 0)):\n"
            "    try: got.append(socket.socket(*kind))\n    except OSError: pass\nreturn len(got)",
        ),
        deed(
            "a socket pair turned outwards", "a socket without asking for one", NETWORK,
            "a, b = socket.socketpair()\na.connect('\\0@MARK@')\nreturn 'reached'",
        ),
        deed(
            "a shell's own sockets", "the network without Python", NETWORK,
            "return 'yes' in output('/bin/bash', '-c', 'echo x > /dev/tcp/127.0.0.1/@PORT@ && echo yes')",
        ),
        deed(
            "a name looked up", "a message out by DNS", NETWORK,
            "return socket.getaddrinfo('example.org', 80)", seen="REFUSED gaierror|REFUSED",
        ),
        deed(
            "writing over the system", "code that others run", READ_ONLY,
            "for place in ('/usr/bin', '/usr/lib', '/etc', '/', sys.prefix, os.path.dirname(os.__file__)):\n"
            "    open(place + '/@MARK@-x', 'w').close()\n    return place\n",
        ),
        deed(
            "a sitecustomize for whoever grades", "code in the grader's Python", READ_ONLY,
            "import sysconfig\nopen(sysconfig.get_path('purelib') + '/sitecustomize.py', 'w').write('')\nreturn 'written'",
        ),
        deed(
            "a change to the course's own package", "code in the grader's process", READ_ONLY,
            "import attention_course\nopen(attention_course.__file__, 'a').write('# x')\nreturn 'written'",
        ),
        deed(
            "a file left in the package's empty folders", "a word to the next submission", READ_ONLY,
            "import attention_course\nopen(os.path.dirname(attention_course.__file__) + '/checks/@MARK@-x', 'w').close()\nreturn 'written'",
        ),
        deed(
            "the gradebook by an absolute path", "marks", "the mount namespace, landlock behind it",
            "import sqlite3\nwith sqlite3.connect('@COURSE@/gradebook.db') as d:\n"
            "    d.execute('update grade set score = 99')\nreturn 'changed'",
            seen="REFUSED OperationalError",
        ),
        deed(
            "the gradebook by a link", "marks", "the mount namespace, landlock behind it",
            "os.symlink('@COURSE@/gradebook.db', 'link.db')\nopen('link.db', 'r+b').write(b'x')\nreturn 'changed'",
        ),
        deed(
            "the gradebook by a hard link", "marks", "the mount namespace, landlock behind it",
            "os.link('@COURSE@/gradebook.db', 'hard.db')\nreturn 'linked'",
        ),
        deed(
            "a bind of the folder's descriptor upwards", "the folders above", "the mount namespace",
            "fd = os.open('.', os.O_RDONLY)\nreturn some([f'/proc/self/fd/{fd}/../../../../@COURSE@/gradebook.db'])",
        ),
        deed(
            "settings of the kernel", "a program run as root at a crash", "read-only /proc, no rights",
            "open('/proc/sys/kernel/core_pattern', 'w').close()\nreturn 'open'",
        ),
        deed(
            "the kernel's emergency keys", "a halted machine", "read-only /proc, no rights",
            "os.close(os.open('/proc/sysrq-trigger', os.O_WRONLY))\nreturn 'open'",
        ),
        deed(
            "out of the cgroup", "no limit on memory", "no writable cgroup",
            "got = glob.glob('/sys/fs/cgroup/**/cgroup.procs', recursive=True)[:50]\n"
            "for g in got:\n    try: open(g, 'w').write('0')\n    except OSError: continue\n    return g\n",
        ),
        deed(
            "higher limits", "no limit on memory", LIMITS,
            "import resource\nfor name in ('AS', 'NPROC', 'FSIZE', 'NOFILE'):\n"
            "    resource.setrlimit(getattr(resource, 'RLIMIT_' + name), (resource.RLIM_INFINITY,) * 2)\nreturn 'raised'",
            seen="REFUSED ValueError|REFUSED PermissionError",
        ),
        deed(
            "the limits of another process", "a grader that fails", PROCESSES,
            "import resource\nresource.prlimit(int('@PID@'), resource.RLIMIT_NOFILE, (3, 3))\nreturn 'lowered'",
        ),
        deed(
            "the priority of another process", "a grader that is slowed down", PROCESSES,
            "os.setpriority(os.PRIO_PROCESS, int('@PID@'), 19)\nreturn 'lowered'",
        ),
        deed(
            "the processors of another process", "a grader that is slowed down", PROCESSES,
            "os.sched_setaffinity(int('@PID@'), {max(os.sched_getaffinity(0))})\nreturn 'moved'",
        ),
        deed(
            "spared when memory is short", "others ended instead", "no rights to",
            "open('/proc/self/oom_score_adj', 'w').write('-1000')\nreturn 'spared'",
        ),
        deed(
            "first in line for the processor", "others slowed down", "no rights to",
            "os.setpriority(os.PRIO_PROCESS, 0, -20)\nreturn os.getpriority(os.PRIO_PROCESS, 0) == -20",
        ),
        deed(
            "real-time scheduling", "others stopped", SECCOMP,
            "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))\nreturn 'real-time'",
        ),
        deed(
            "a signal to the grader", "the end of the grading", PROCESSES,
            "os.kill(int('@GRADER@'), 0)\nreturn 'sent'",
        ),
        deed(
            "a signal to a bystander", "the end of somebody's work", PROCESSES,
            "os.kill(int('@PID@'), signal.SIGKILL)\nreturn 'sent'",
        ),
        deed(
            "a signal to the parent", "the end of the warm process", PROCESSES,
            "os.kill(os.getppid() or 2**22, signal.SIGKILL)\nreturn 'sent'",
        ),
        deed(
            "a signal to every process", "the end of everything", "the process namespace",
            "os.kill(-1, signal.SIGTERM)\nreturn 'sent'", seen="REFUSED|GOT 'sent'", level="bubblewrap",
        ),
        deed(
            "programs with rights of their own", "root", "no new privileges; the user namespace",
            "open('run', 'w').write('x')\ngot = ''\n"
            "for command in (['su', '-c', 'id'], ['sudo', '-n', 'id'], ['mount', '-t', 'tmpfs', 'x', '/mnt'], ['unshare', '-r', 'id'],"
            " ['newgrp', 'root'], ['bwrap', '--ro-bind', '/', '/', 'id']):\n"
            "    try: got += output(*command)\n    except (OSError, subprocess.TimeoutExpired): pass\nreturn 'uid=0' in got",
        ),
        deed(
            "a program of its own with rights", "root", "no devices, no programs, no setuid in scratch",
            "open('own', 'wb').write(open('/bin/true', 'rb').read())\nos.chmod('own', 0o6755)\n"
            "os.setxattr('own', 'security.capability', b'x' * 20)\nreturn 'set'",
        ),
        deed(
            "a preloaded library", "code in another program", "no program has more rights than it",
            "os.environ['LD_PRELOAD'] = os.getcwd() + '/own.so'\ntry: return 'uid=0' in output('su', '-c', 'id')\n"
            "finally: del os.environ['LD_PRELOAD']",
        ),
        deed(
            "typing into the grader's terminal", "a command as the instructor", "no terminal; seccomp",
            "import fcntl\nfor fd in (0, 1, 2):\n    fcntl.ioctl(fd, 0x5412, b'x')\nreturn 'typed'",
        ),
        deed(
            "the terminal opened again", "a command as the instructor", "a session without a terminal",
            "os.open('/dev/tty', os.O_RDWR)\nreturn 'open'",
        ),
        deed(
            "system calls by other numbers", "calls that the filter does not list", "seccomp ends the process",
            "code = bytes.fromhex('b814000000cd80c3') if platform.machine() == 'x86_64' else bytes.fromhex('c0035fd6')\n"
            "import mmap\narea = mmap.mmap(-1, 4096, prot=7)\narea.write(code)\n"
            "place = ctypes.addressof(ctypes.c_char.from_buffer(area))\n"
            "return ctypes.CFUNCTYPE(ctypes.c_int)(place)()",
            seen="signal SIGSYS|signal SIGSEGV|exit code|ended itself", own=True,
        ),
        deed(
            "the filter taken off", "all system calls", "a filter can only be added to",
            "return libc.prctl(22, 0, 0, 0, 0) == 0 or libc.prctl(38, 0, 0, 0, 0) == 0",
        ),
    ],
)  # fmt: skip
