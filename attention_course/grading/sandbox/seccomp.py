"""The system calls that a student's process is refused.

The filter is put together by libseccomp, which knows the numbers on each machine, in the
grader's process; a forked child only has to install the finished program.
"""

from __future__ import annotations

import ctypes
import errno
import tempfile
from functools import cache

from attention_course.grading.sandbox.kernel import (
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    SECCOMP_MODE_FILTER,
    libc,
    prctl,
)

# What is refused, by what it would be good for. Unknown names are left out on machines without.
REFUSED = {
    "looking into other processes": (
        "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "pidfd_open",
        "process_madvise", "process_mrelease", "perf_event_open",
    ),
    "another view of the disk": (
        "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
        "fsconfig", "fsmount", "fspick", "mount_setattr", "open_tree_attr", "open_by_handle_at",
        "name_to_handle_at", "quotactl", "quotactl_fd", "swapon", "swapoff", "fanotify_init",
    ),
    "namespaces": ("unshare", "setns"),
    "the network": ("socket", "connect", "bind", "listen", "accept", "accept4"),
    "the kernel's own machinery": (
        "bpf", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "keyctl",
        "add_key", "request_key", "kexec_load", "kexec_file_load", "init_module", "finit_module",
        "delete_module", "create_module", "reboot", "acct", "syslog", "iopl", "ioperm",
        "modify_ldt", "vm86", "vm86old", "personality", "lookup_dcookie", "nfsservctl",
        "_sysctl", "vhangup", "uselib", "ustat", "sysfs", "get_kernel_syms", "query_module",
    ),
    "the machine's clock and name": (
        "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime", "adjtimex", "stime",
        "sethostname", "setdomainname",
    ),
    "what outlives a process": (
        "shmget", "shmat", "shmctl", "semget", "semop", "semctl", "semtimedop", "msgget",
        "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive",
        "mq_notify", "mq_getsetattr",
    ),
    "other limits or users": (
        "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid",
        "setfsgid", "setgroups", "capset", "mknod", "mknodat", "ioprio_set",
        "sched_setscheduler", "sched_setattr", "sched_setparam", "migrate_pages", "move_pages",
        "mbind", "set_mempolicy", "set_mempolicy_home_node",
    ),
}  # fmt: skip
# Allowed for the caller itself (0), refused for any other: without a process namespace these
# reach every process of the same user. The place of the argument, by name.
OF_OTHERS = {"prlimit64": 0, "sched_setaffinity": 0, "setpriority": 1}
NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW… bit
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # typing into somebody's terminal


@cache
def unavailable() -> str | None:
    """Why there is no filter on this machine, or None where there is one."""
    try:
        program()
    except Exception as error:
        return f"no seccomp filter could be made ({error})"
    return None


@cache
def program() -> bytes:
    """The filter as the kernel's own instructions."""
    from pyseccomp import ALLOW, EQ, ERRNO, KILL_PROCESS, MASKED_EQ, NE, Arg, Attr, SyscallFilter

    rules = SyscallFilter(ALLOW)
    # A call in another architecture's numbering ends the process: no list covers it.
    rules.set_attr(Attr.ACT_BADARCH, KILL_PROCESS)
    for names in REFUSED.values():
        for name in names:
            try:
                rules.add_rule(ERRNO(errno.EPERM), name)
            except (OSError, ValueError, RuntimeError):
                continue  # this machine, or its libseccomp, has no such call
    for name, place in OF_OTHERS.items():
        rules.add_rule(ERRNO(errno.EPERM), name, Arg(place, NE, 0))
    rules.add_rule(ERRNO(errno.EPERM), "setpriority", Arg(0, NE, 0))
    for bit in (1 << place for place in range(32) if NEW_NAMESPACES >> place & 1):
        rules.add_rule(ERRNO(errno.EPERM), "clone", Arg(0, MASKED_EQ, bit, bit))
    # Its flags lie in memory, where no filter sees them; C libraries then fall back to clone.
    rules.add_rule(ERRNO(errno.ENOSYS), "clone3")
    for request in (TIOCSTI, TIOCLINUX):
        rules.add_rule(ERRNO(errno.EPERM), "ioctl", Arg(1, EQ, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def install(instructions: bytes) -> None:
    """Put the filter over this process and all it will start; it cannot be taken off."""
    kept = ctypes.create_string_buffer(instructions, len(instructions))
    described = _Program(len(instructions) // 8, ctypes.cast(kept, ctypes.c_void_p))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if libc().prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(described), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the seccomp filter was not accepted")
