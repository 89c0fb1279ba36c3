"""What a bare interpreter with the given packages needs to read, found by loading them once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ...errors import NoSandbox

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    # A thread pool would be lost in the fork; one arena keeps memory countable.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}
"""All of a keeper's environment; programs also get their folder as HOME and TMPDIR."""

ALWAYS = ("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")
NETWORK = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl",
    "/etc/pki",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
)
"""Beside these a program let out to the network needs nothing."""
PACKAGES = ("site-packages", "dist-packages")

_SURVEY = """
import ctypes, fcntl, importlib, json, os, resource, select, socket, sys, sysconfig
sites, packages = json.loads(sys.argv[1])
standard = [path for path in sys.path if os.path.isdir(path)]
sys.path = standard + sites
for name in packages:
    importlib.import_module(name)
homes = set()
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None)
    if "." in name or not file:
        continue
    home = os.path.dirname(file) if os.path.basename(file).startswith("__init__.") else file
    if any(os.path.dirname(home) == site for site in sites):
        homes.add(home)
        homes.add(os.path.join(os.path.dirname(home), name + ".libs"))
mapped = {line.split(None, 5)[5].rstrip() for line in open("/proc/self/maps") if "/" in line}
with open("/proc/self/statm") as file:
    size = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
print(json.dumps({
    "standard": standard,
    "homes": sorted(home for home in homes if os.path.exists(home)),
    "mapped": sorted(path for path in mapped if os.path.exists(path)),
    "size": size,
}))
"""


@dataclass(frozen=True)
class Survey:
    """Where an interpreter and its packages lie on this machine."""

    python: str
    """The interpreter itself, behind the links of virtual environments."""
    standard: tuple[str, ...]
    """Folders the standard library is imported from."""
    sites: tuple[str, ...]
    """Folders the packages are imported from, while loading."""
    library: tuple[str, ...]
    """What lies in the standard library's folders, but for installed packages."""
    homes: tuple[str, ...]
    """The packages' own files and folders, and those of what they load."""
    linked: tuple[str, ...]
    """Folders of the shared libraries in use; where Python itself lives in one, its libraries."""
    size: int
    """Bytes of address space taken once everything is loaded."""

    def readable(self, *, net: bool) -> tuple[str, ...]:
        """Every path a program may read beside its folder."""
        return (*self.library, *self.homes, *self.linked, *ALWAYS, *(NETWORK if net else ()))


@cache
def survey(packages: tuple[str, ...]) -> Survey:
    """Load the packages in a bare interpreter and look. Raises ``NoSandbox`` if that fails."""
    python = os.path.realpath(sys.executable)
    sites = tuple(dict.fromkeys(_site(name) for name in packages))
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-c", _SURVEY, json.dumps([sites, packages])],
            env=ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoSandbox(f"a bare interpreter at {python} does not start: {error}") from None
    if done.returncode:
        raise NoSandbox(
            f"a bare interpreter at {python} cannot load {', '.join(packages) or 'itself'}: "
            f"{done.stderr.strip()[-500:]}"
        )
    found = json.loads(done.stdout)
    standard = tuple(found["standard"])
    library = [
        str(path)
        for folder in standard
        for path in sorted(Path(folder).iterdir())
        if path.name not in PACKAGES and str(path) not in standard
    ]
    library += [folder for folder in standard if Path(folder).name == "lib-dynload"]
    linked = _linked(found["mapped"], (*standard, *sites), (*standard, *found["homes"]))
    homes = tuple(found["homes"])
    return Survey(python, standard, sites, tuple(library), homes, linked, found["size"])


def _linked(
    mapped: Sequence[str], python: Sequence[str], covered: Sequence[str]
) -> tuple[str, ...]:
    """Where the shared libraries lie; never a folder that packages are below of."""
    found: set[str] = set()
    for path in mapped:
        if ".so" not in Path(path).name or path.startswith(tuple(f"{one}/" for one in covered)):
            continue
        folder = Path(path).parent
        if any(Path(one).is_relative_to(folder) for one in python):
            found |= {str(one) for one in folder.iterdir() if ".so" in one.name and one.is_file()}
        else:
            found.add(str(folder))
    return tuple(sorted(found))


def _site(package: str) -> str:
    """The folder a top-level package is imported from."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise NoSandbox(
            f"the package {package} that programs are to start with is not installed here: "
            f"pip install {package}, or open the sandbox with packages=()"
        )
    origin = Path(spec.origin)
    return str(origin.parent.parent if origin.name.startswith("__init__.") else origin.parent)
