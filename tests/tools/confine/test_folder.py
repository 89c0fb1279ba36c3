"""The work folder as its caller handles it: hostile trees, and laws over any tree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverie.errors import ToolFault
from reverie.tools.confine import folder

names = st.text(st.sampled_from("ab.\\ ~é\n\x01"), min_size=1, max_size=5).filter(
    lambda name: name not in (".", "..")
)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


def _layable(files: dict[str, bytes]) -> bool:
    """No file lies where another needs a folder, and no two names mean one place."""
    normal = {os.path.normpath(name) for name in files}
    return len(normal) == len(files) and not any(
        other != name and other.startswith(f"{name}/") for name in normal for other in normal
    )


@settings(max_examples=30)
@given(files=st.dictionaries(paths, st.binary(max_size=20), max_size=6).filter(_layable))
def test_what_is_laid_is_collected_and_emptied(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("work")
    folder.lay(place, files)
    folder.measure(place)
    assert folder.collect(place, {}) == files
    assert folder.collect(place, files) == {}
    folder.empty(place)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/x", "", ".", "a\0b", "x" * 300])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ToolFault):
        folder.lay(tmp_path, {name: b""})


def test_too_much_cannot_be_sent(tmp_path: Path) -> None:
    with pytest.raises(ToolFault, match="at most"):
        folder.lay(tmp_path, {str(n): b"" for n in range(folder.FILES)})
    assert list(tmp_path.iterdir()) == []


def test_a_tree_deeper_than_any_path_is_measured_refused_and_emptied(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    here = os.open(work, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("d" * 99, dir_fd=here)
        inner = os.open("d" * 99, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    with pytest.raises(folder.OverQuota):
        folder.measure(work)
    with pytest.raises(folder.OverQuota):
        folder.collect(work, {})
    folder.empty(work)
    assert list(work.iterdir()) == []


def test_links_pipes_and_sparse_files_are_no_artifacts(tmp_path: Path) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    (work / "real").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (work / "folder").symlink_to(outside)
    (work / "file").symlink_to(outside / "secret")
    (work / "real" / "up").symlink_to("..")
    os.mkfifo(work / "pipe")
    (work / "plain").write_bytes(b"mine")
    assert folder.collect(work, {}) == {"plain": b"mine"}
    folder.empty(work)
    assert list(work.iterdir()) == []
    assert (outside / "secret").read_text() == "secret"
    with (work / "huge").open("wb") as file:
        file.truncate(folder.TOTAL + 1)
    with pytest.raises(folder.OverQuota):
        folder.measure(work)


def test_folders_of_one_name_are_emptied_into_one_another(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name / "x" / "x" / "y").mkdir(parents=True)
        (tmp_path / name / "y" / "x").mkdir(parents=True)
    folder.empty(tmp_path)
    assert list(tmp_path.iterdir()) == []
