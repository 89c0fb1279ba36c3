"""Settings: what is not said on the command line, from the environment and from files.

The first source that names a setting wins: the call, ``REVERIE_*`` variables, ``reverie.toml`` in
the working folder, ``[tool.reverie]`` of its ``pyproject.toml``, ``config.toml`` in the user's
configuration folder, the default. ``reverie config show`` tells which it was.

Keys of model providers are not settings of ours: litellm and openai read their own variables.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from .errors import SettingsError

LOCAL_FILE = "reverie.toml"


class Settings(BaseSettings):
    """Every setting with its default."""

    model_config = SettingsConfigDict(
        env_prefix="REVERIE_", extra="forbid", frozen=True, env_ignore_empty=True,
        pyproject_toml_table_header=("tool", "reverie")
    )  # fmt: skip

    model: str = Field(default="local", description="the language model, as open_model reads it")
    embedder: str | None = Field(default=None, description="the embedder; None is the bundled one")
    memory: str | None = Field(
        default=None, description="url of the memory; None is a folder of the user's data"
    )
    user: str = Field(default="default", description="whose memory it is")
    runs: Path = Field(default=Path("runs"), description="where runs are kept")
    workers: int = Field(default=1, ge=1, description="processes that play a run")
    alfworld_data: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("REVERIE_ALFWORLD_DATA", "ALFWORLD_DATA", "alfworld_data"),
        description="the official ALFWorld games; None plays generated ones",
    )
    api_key: SecretStr | None = Field(
        default=None, description="for a model given as a URL; never written to a run folder"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The call, then ``sources`` in their order."""
        return (init_settings, *(source for _, source in sources(settings_cls)))


def sources(kind: type[BaseSettings]) -> list[tuple[str, PydanticBaseSettingsSource]]:
    """Every source but the call and the defaults, the strongest first, with its name."""
    local, project, user = Path(LOCAL_FILE), Path("pyproject.toml"), user_file()
    return [
        ("environment", EnvSettingsSource(kind)),
        (str(local), TomlConfigSettingsSource(kind, toml_file=local)),
        (str(project), PyprojectTomlConfigSettingsSource(kind, toml_file=project)),
        (str(user), TomlConfigSettingsSource(kind, toml_file=user)),
    ]


def load_settings() -> Settings:
    """The settings in force here. Raises ``SettingsError`` naming the one that has no meaning."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(Settings.model_fields)
        why = f"unknown; there are {known}" if first["type"] == "extra_forbidden" else first["msg"]
        raise SettingsError(f"setting {name}: {why}. `reverie config show` lists them") from error
    except ValueError as error:  # a file that is no TOML
        raise SettingsError(f"a settings file cannot be read: {error}") from error


def origins() -> dict[str, str]:
    """Where each setting's value comes from."""
    found = dict.fromkeys(Settings.model_fields, "default")
    for name, source in reversed(sources(Settings)):
        for key in source():
            field = "alfworld_data" if key in ("ALFWORLD_DATA", "REVERIE_ALFWORLD_DATA") else key
            if field in found:
                found[field] = name
    return found


def user_file() -> Path:
    """The user's own settings, by the custom of the operating system."""
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
    return base / "reverie" / "config.toml"
