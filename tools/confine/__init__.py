"""What holds a foreign program in: levels of confinement, the workers that run it, their probes.

``zygote``, ``harness``, ``seccomp``, ``landlock`` and ``syscalls`` run inside the confined process:
they import the standard library and each other alone. The rest runs with the caller.
"""
