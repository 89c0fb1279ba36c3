"""Settings: which source wins, what it says when one has no meaning, and that keys stay secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from reverie.errors import SettingsError
from reverie.settings import Settings, load_settings, origins, user_file


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and an empty home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("ALFWORLD_DATA", raising=False)
    return tmp_path


def write(files: Mapping[str, str], root: Path) -> None:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_without_any_source_the_defaults_hold() -> None:
    settings = load_settings()
    assert (settings.model, settings.workers, settings.alfworld_data) == ("local", 1, None)
    assert set(origins().values()) == {"default"}


def test_the_stronger_source_wins_and_the_weaker_fills_the_rest(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        {
            "config/reverie/config.toml": "model = 'u'\nuser = 'u'\nworkers = 2\nembedder = 'u'",
            "pyproject.toml": "[tool.reverie]\nmodel = 'p'\nuser = 'p'\nworkers = 3",
            "reverie.toml": "model = 'l'\nuser = 'l'",
        },
        here,
    )
    monkeypatch.setenv("REVERIE_MODEL", "e")
    found = load_settings()
    assert (found.model, found.user, found.workers, found.embedder) == ("e", "l", 3, "u")
    where = origins()
    assert where["model"] == "environment"
    assert where["user"] == "reverie.toml"
    assert where["workers"] == "pyproject.toml"
    assert where["embedder"] == str(user_file())
    assert where["runs"] == "default"


def test_the_benchmarks_own_variable_names_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", "/games")
    assert load_settings().alfworld_data == Path("/games")
    assert origins()["alfworld_data"] == "environment"
    monkeypatch.setenv("REVERIE_ALFWORLD_DATA", "/ours")
    assert load_settings().alfworld_data == Path("/ours")


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERIE_MODEL", "")
    assert load_settings().model == "local"
    assert origins()["model"] == "default"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("modle = 'x'", "setting modle: unknown; there are model, "),
        ("workers = 0", "setting workers: Input should be greater than or equal to 1"),
        ("workers = ", "cannot be read"),
    ],
)
def test_a_setting_without_meaning_is_named(text: str, message: str, here: Path) -> None:
    write({"reverie.toml": text}, here)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_a_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVERIE_API_KEY", "sk-very-secret")
    settings = load_settings()
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk-very-secret"
    assert "sk-very-secret" not in repr(settings) + settings.model_dump_json()


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    assert not any(name in os.environ for name in ("REVERIE_MODEL", "REVERIE_API_KEY"))
