"""The kernel calls a program may make, by name, with their numbers on both machines we know.

An allow-list: a call that is not named here is refused. A deny-list would have to know every
dangerous call there is and will be (io_uring, new mount calls, whatever comes next year); Python
with numpy needs the list below and has not needed more for a decade, so the short side is the safe
one. Numbers are Linux's own: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic.
"""

from __future__ import annotations

from functools import cache

MACHINES = ("x86_64", "aarch64")
"""The columns of the tables; ``-`` where a machine lacks the call."""

HARMLESS = """
read 0 63, write 1 64, pread64 17 67, pwrite64 18 68, readv 19 65, writev 20 66, preadv 295 69,
pwritev 296 70, preadv2 327 286, pwritev2 328 287, close 3 57, close_range 436 436, stat 4 -,
fstat 5 80, lstat 6 -, newfstatat 262 79, statx 332 291, access 21 -, faccessat 269 48,
faccessat2 439 439, lseek 8 62, rename 82 -, renameat 264 38, renameat2 316 276, mkdir 83 -,
mkdirat 258 34, rmdir 84 -, link 86 -, linkat 265 37, unlink 87 -, unlinkat 263 35, symlink 88 -,
symlinkat 266 36, readlink 89 -, readlinkat 267 78, ftruncate 77 46, dup 32 23, dup2 33 -,
dup3 292 24, fsync 74 82, fdatasync 75 83, copy_file_range 326 285, sendfile 40 71,
fadvise64 221 223, readahead 187 213, getdents 78 -, getdents64 217 61, statfs 137 43,
fstatfs 138 44, umask 95 166, getcwd 79 17, chdir 80 49, fchdir 81 50,
mmap 9 222, mprotect 10 226, munmap 11 215, mremap 25 216, madvise 28 233, brk 12 214,
msync 26 227, mincore 27 232, membarrier 324 283,
rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, rt_sigpending 127 136,
rt_sigtimedwait 128 137, rt_sigsuspend 130 133, sigaltstack 131 132, pause 34 -, alarm 37 -,
getitimer 36 102, setitimer 38 103, restart_syscall 219 128,
nanosleep 35 101, clock_nanosleep 230 115, clock_gettime 228 113, clock_getres 229 114,
gettimeofday 96 169, time 201 -, times 100 153, getrusage 98 165,
getpid 39 172, gettid 186 178, getppid 110 173, getuid 102 174, geteuid 107 175, getgid 104 176,
getegid 108 177, getresuid 118 148, getresgid 120 150, getgroups 115 158, getpgrp 111 -,
uname 63 160, getcpu 309 168, getrlimit 97 163, setrlimit 160 164,
futex 202 98, set_robust_list 273 99, set_tid_address 218 96, rseq 334 293, sched_yield 24 124,
exit 60 93, exit_group 231 94,
poll 7 -, ppoll 271 73, select 23 -, pselect6 270 72, epoll_create 213 -, epoll_create1 291 20,
epoll_ctl 233 21, epoll_wait 232 -, epoll_pwait 281 22, epoll_pwait2 441 441, eventfd 284 -,
eventfd2 290 19, pipe 22 -, pipe2 293 59, wait4 61 260, waitid 247 95, getrandom 318 278,
sendto 44 206, recvfrom 45 207, sendmsg 46 211, recvmsg 47 212, shutdown 48 210,
getsockopt 55 209, setsockopt 54 208, getsockname 51 204, getpeername 52 205
"""
"""Allowed whatever their arguments. Sending and receiving need a socket, which only
``socketpair`` gives where there is no network; files need a path that the level lets through."""

EXAMINED = """
open 2 -, openat 257 56, fcntl 72 25, ioctl 16 29, prctl 157 167, prlimit64 302 261,
sched_getaffinity 204 123, socketpair 53 199, kill 62 129, tgkill 234 131, clone 56 220
"""
"""Allowed by their arguments: see ``seccomp``."""

NETWORK = """
connect 42 203, bind 49 200, listen 50 201, accept 43 202, accept4 288 242, sendmmsg 307 269,
recvmmsg 299 243
"""
"""Allowed where the program is let out to the network; ``socket`` then by its arguments."""
SOCKET = "socket 41 198"

PRETENDED = """
chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, utime 132 -, utimes 235 -,
futimesat 261 -, utimensat 280 88
"""
"""Answered with success and not done. Landlock does not govern them, so as the files' owner a
program could change the mode of any file whose path it knows; and copying a file calls them."""

ATTRIBUTES = """
getxattr 191 8, lgetxattr 192 9, fgetxattr 193 10, listxattr 194 11, llistxattr 195 12,
flistxattr 196 13, setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, removexattr 197 14,
lremovexattr 198 15, fremovexattr 199 16
"""
"""Answered as by a file system without extended attributes, which copying a file expects."""

KEEPERS = """
fork 57 -, pidfd_open 434 434, setsid 112 157, setpgid 109 154, seccomp 317 277,
landlock_create_ruleset 444 444, landlock_add_rule 445 445, landlock_restrict_self 446 446,
capset 126 91
"""
"""What the process that forks programs needs beside, and its children until they are shut in."""

FIRST_UNKNOWN = 424
"""From this number on both machines share theirs: calls added since Linux 5.1. Those not allowed
do not exist (ENOSYS), so that a library falls back to an older call; older ones are forbidden."""


@cache
def numbers(table: str, machine: str) -> dict[str, int]:
    """Name → number of a table's calls on a machine; calls it lacks are left out."""
    column = 1 + MACHINES.index(machine)
    rows = [row.split() for row in table.split(",")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}
