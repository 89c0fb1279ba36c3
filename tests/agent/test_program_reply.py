"""What a model wrote is read as a program, or it is said why it cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reverie.agent.program_reply import LONGEST, Code, NoCode, code_in

BODY = "def transform(grid):\n    return grid\n"
FENCED = f"It mirrors.\n```python\n{BODY}```\n"


@pytest.mark.parametrize(
    "reply",
    [
        FENCED,
        f"```\n{BODY}```",
        f"```py\n{BODY}```  done",
        f"  ```python\n{BODY}  ```",
        FENCED.replace("\n", "\r\n"),
        BODY,
        f"Sure, here it is:\n\n{BODY}\nI hope that helps.",
        f"<think>```python\ndef transform(grid):\n    1/0\n```</think>\n{FENCED}",
        f"```json\n{{}}\n```\n{FENCED}```text\n1 2\n```",
        f"```python\ndef transform(g):\n    return None\n```\nNo, rather:\n{FENCED}",
        f"```python\n{BODY}",
    ],
    ids=[
        "fenced", "no language", "py", "indented", "crlf", "bare", "bare in prose", "thoughts",
        "other blocks", "the last one counts", "never closed",
    ],
)  # fmt: skip
def test_the_program_is_found_however_it_is_wrapped(reply: str) -> None:
    assert code_in(reply) == Code(BODY)


def test_helpers_and_imports_before_a_bare_function_belong_to_it() -> None:
    code = "import numpy as np\n\ndef flip(g):\n    return g[::-1]\n\n" + BODY
    found = code_in(f"Here:\n{code}Good luck!")
    assert isinstance(found, Code) and found.text == code


@pytest.mark.parametrize(
    ("reply", "finish", "reason"),
    [
        ("", "stop", "empty"),
        (" \n", "stop", "empty"),
        ("<think>for ever", "length", "cut off"),
        ("I cannot tell.", "stop", "no code block"),
        ("```python\nprint(1)\n```", "stop", "no function transform"),
        ("```python\ndef solve(grid):\n    return grid\n```", "stop", "no function transform"),
        ("```python\nimport numpy", "length", "cut off"),
        ("we def transform(it)", "stop", "no code block"),
        (f"```python\n{BODY}{'#' * LONGEST}\n```", "stop", "characters"),
    ],
)
def test_a_reply_without_a_program_says_what_is_missing(
    reply: str, finish: str, reason: str
) -> None:
    found = code_in(reply, finish)  # pyright: ignore[reportArgumentType]
    assert isinstance(found, NoCode) and reason in found.reason


def test_concepts_it_says_it_uses_are_read_from_its_comment() -> None:
    found = code_in(f"```python\n# uses: 3, 1 and 3\n{BODY}```")
    assert isinstance(found, Code) and found.uses == (3, 1)
    other = code_in(f"```python\n# use: 2 (slide object)\n{BODY}# it uses 9 things\n```")
    assert isinstance(other, Code) and other.uses == (2,)


@given(st.text(alphabet="`\n def transform():=#usethink<>/python 12", max_size=200))
def test_no_reply_whatever_breaks_the_reading(reply: str) -> None:
    assert isinstance(code_in(reply), Code | NoCode)
