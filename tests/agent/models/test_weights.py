"""The file the local engine loads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from reverie.agent.models import llama_api, weights
from reverie.errors import MissingExtra, ModelUnavailable


@pytest.fixture
def fresh() -> Iterator[None]:
    """The library not yet loaded, before and after."""
    llama_api._library.cache_clear()  # pyright: ignore[reportPrivateUsage]
    yield
    llama_api._library.cache_clear()  # pyright: ignore[reportPrivateUsage]


def silent(text: str) -> None:
    pass


def test_the_bundled_model_is_prepared_once_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    first = weights.bundled_weights(tmp_path, said.append)
    made = first.path.stat().st_mtime_ns
    again = weights.bundled_weights(tmp_path, said.append)
    assert again == first
    assert again.path.stat().st_mtime_ns == made
    assert len(said) == 1
    assert not list(tmp_path.glob("*.part"))


def test_missing_weights_name_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no-such-package")
    with pytest.raises(ModelUnavailable, match=re.escape(weights.INSTALL)):
        weights.bundled_weights(tmp_path, silent)


def test_changed_bytes_are_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "SHA256", "0" * 64)
    with pytest.raises(ModelUnavailable, match="not the file it should be"):
        weights.bundled_weights(tmp_path, silent)
    assert not list(tmp_path.glob("*.gguf"))


def test_a_full_disk_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights, "write_q8_0", full)
    with pytest.raises(ModelUnavailable, match="No space left"):
        weights.bundled_weights(tmp_path, silent)
    assert [p.suffix for p in tmp_path.iterdir() if p.suffix != ".lock"] == []


def test_a_file_of_the_users_is_named_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"one")
    first = weights.file_weights(file, tmp_path / "cache").name
    assert first == weights.file_weights(file, tmp_path / "cache").name
    file.write_bytes(b"other")
    assert weights.file_weights(file, tmp_path / "cache").name != first
    assert first.startswith("mine-")


def test_another_engine_version_is_not_called(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        return "2026.1.1"

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(ModelUnavailable, match=f"pip install xllamacpp=={llama_api.PINNED}"):
        llama_api.load()


def test_a_missing_engine_names_the_extra(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", absent)
    with pytest.raises(MissingExtra, match=r"reverie\[local\]"):
        llama_api.load()


def test_another_struct_layout_is_not_called(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_api, "_MODEL_DEFAULTS", bytes(80))
    with pytest.raises(ModelUnavailable, match="lays out its structs"):
        llama_api.load()


def test_every_function_called_is_declared() -> None:
    folder = Path(llama_api.__file__).parent
    sources = [(folder / f"{n}.py").read_text() for n in ("llama_session", "llama_grammar")]
    called = set(re.findall(r"\b_?lib(?:rary)?\.(llama_\w+)", "".join(sources)))
    assert len(called) > 15
    assert called <= set(llama_api.SIGNATURES)
