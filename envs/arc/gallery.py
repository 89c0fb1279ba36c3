"""Puzzles as a page shows them: examples, hidden outputs, and the attempts of each arm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from html import escape

from ..cells import arm_of
from ..runs import Arm
from .data import Split, Task, TaskSet, grid_of
from .lines import ArcLine
from .pictures import Pixels, differences, image, pixels
from .scoring import ATTEMPTS

SHOWN = 40
"""Puzzles that are drawn at most."""


def gallery(lines: Sequence[ArcLine], tasks: Callable[[Split], TaskSet]) -> str:
    """Puzzles that tell the arms apart, then those that something fitted and did not solve."""
    by_task: dict[str, list[ArcLine]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: (list(Arm).index(line.arm), line.seed)):
        by_task[line.task_id].append(line)

    def rank(name: str) -> tuple[bool, bool, bool, str]:
        found = by_task[name]
        differ = len({line.success for line in found}) > 1
        fits = any(line.fits and not line.success for line in found)
        return (not differ, not fits, not any(line.success for line in found), name)

    shown = sorted(by_task, key=rank)[:SHOWN]
    note = "those first that tell the arms apart. A frame marks a cell that is wrong."
    out = [f"<p>{len(shown)} of {len(by_task)} puzzles, {note}</p>"]
    for name in shown:
        found = by_task[name]
        known = {one.puzzle.id: one for one in tasks(_split(found[0])).tasks}
        if name in known:
            out.append(_puzzle(known[name], found))
    return "".join(out)


def _split(line: ArcLine) -> Split:
    return "training" if line.split == "training" else "evaluation"


def _puzzle(task: Task, lines: Sequence[ArcLine]) -> str:
    verdicts = " · ".join(
        f"{arm_of(line.arm)} {'solved' if line.success else escape(line.error or line.stop_reason)}"
        f" ({line.steps:,} nodes, {line.tokens:,} tokens, {line.seconds:.1f} s)"
        for line in lines
    )
    pairs = "".join(
        _figure(pixels(pair.input), f"example {n}, input")
        + _figure(pixels(pair.output), f"example {n}, output")
        for n, pair in enumerate(task.puzzle.train, start=1)
    )
    head = f"{escape(task.puzzle.id)} <span class='soft'>{verdicts}</span>"
    out = [f"<details><summary>{head}</summary><div class='grids'>{pairs}</div>"]
    for number, (test, output) in enumerate(zip(task.puzzle.tests, task.outputs, strict=True)):
        shown = _figure(pixels(test), "input")
        if output is not None:
            shown += _figure(pixels(output), "hidden output")
        for line in lines:
            guesses = line.answer.guesses[number][:ATTEMPTS]
            for place, text in enumerate(guesses):
                guess = grid_of(text)
                wrong = None if output is None else differences(guess, output)
                mark = "right" if line.verdicts[number][place] else "wrong"
                label = f"{line.arm}, order {line.seed}, attempt {place + 1}: {mark}"
                shown += _figure(pixels(guess, wrong), label)
        out.append(f"<h4>Test {number + 1}</h4><div class='grids'>{shown}</div>")
    programs = {line.answer.programs[0].text for line in lines if line.answer.programs}
    out += [f"<pre>{escape(text)}</pre>" for text in sorted(programs)[:4]]
    return "".join([*out, "</details>"])


def _figure(picture: Pixels, label: str) -> str:
    return f"<figure>{image(picture, label)}<figcaption>{escape(label)}</figcaption></figure>"
