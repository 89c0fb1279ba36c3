"""What a model wrote, read as a program: the code in a reply and the concepts it says it uses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

LONGEST = 50_000
"""Characters of code that are run; nobody needs more for one puzzle."""

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)
_TRANSFORM = re.compile(r"^def[ \t]+transform[ \t]*\(|^transform[ \t]*=", re.MULTILINE)
_CODE_LINE = re.compile(r"(?:import|from|def|class|@|#|[A-Za-z_]\w*[ \t]*=)")
_USES = re.compile(r"^[ \t]*#[ \t]*uses?[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Code:
    """A program found in a reply. ``uses`` are the numbers of the concepts that it names."""

    text: str
    uses: tuple[int, ...] = ()


@dataclass(frozen=True)
class NoCode:
    """A reply without a program that could be run, and why, in words the model can use."""

    reason: str


def code_in(
    reply: str, finish: Literal["stop", "length", "tool_calls", "error"] = "stop"
) -> Code | NoCode:
    """The program in a reply: the last fenced block that defines ``transform``, else bare code.

    Thoughts in ``<think>`` tags are passed over. ``finish`` is how the reply ended.
    """
    said = _THOUGHT.sub("", reply.replace("\r\n", "\n"))
    if not said.strip():
        return NoCode("the reply was empty" + _cut(finish))
    blocks = [match.group(1) for match in _FENCE.finditer(said)]
    found = [block for block in blocks if _TRANSFORM.search(block)]
    if not found and not blocks and _TRANSFORM.search(said):
        found = [_bare(said)]
    if not found:
        what = "the code defines no function transform" if blocks else "there was no code block"
        return NoCode(what + _cut(finish))
    text = found[-1].strip("\n") + "\n"
    if len(text) > LONGEST:
        return NoCode(f"the code has {len(text)} characters; at most {LONGEST} are run")
    return Code(text, _uses(text))


def _cut(finish: str) -> str:
    return ", and was cut off before its end: write less" if finish == "length" else ""


def _bare(said: str) -> str:
    """Code that stands in a reply without a fence, from its first line to its last."""
    lines = said.split("\n")
    first = next(i for i, line in enumerate(lines) if _CODE_LINE.match(line))
    starts = [i for i, line in enumerate(lines) if _TRANSFORM.match(line)]
    last = starts[-1]
    for i in range(starts[-1] + 1, len(lines)):
        if lines[i][:1].isspace() or _CODE_LINE.match(lines[i]):
            last = i
        elif lines[i].strip():
            break
    return "\n".join(lines[first : last + 1])


def _uses(text: str) -> tuple[int, ...]:
    """The numbers in the comment ``# uses: 1, 3``, in their order, each once."""
    named = " ".join(match.group(1) for match in _USES.finditer(text))
    return tuple(dict.fromkeys(int(digits) for digits in re.findall(r"\b\d{1,3}\b", named)))
