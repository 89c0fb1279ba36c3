"""Runs a dialogue benchmark: conversations into a memory, every question asked within its own.

    summary = run_dialogue(DialogueSpec(benchmark="locomo", data=path, out=Path("runs/locomo")))

Ours is always measured beside BM25 and the plain order of what was said. Give the same spec again
and it goes on where it stopped: what ``questions.jsonl`` holds is not asked again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..agent.models import ChatModel, open_model
from ..errors import SettingsError
from ..memory.embed import Embedder, open_embedder
from ..memory.memory import Memory
from .answering import Answer, Reader, judged, scored
from .dialogue_exam import Exam
from .dialogue_lines import (
    DataFacts,
    DialogueFolder,
    DialogueHeader,
    DialogueSpec,
    QuestionLine,
    open_dialogue,
    read_run,
)
from .dialogue_report import write_dialogue_report
from .dialogue_summary import DialogueSummary, summarise
from .dialogues import Conversation, DialogueData, Question
from .folder import write_atomic
from .locomo import read_locomo
from .longmemeval import read_longmemeval
from .machine import machine, versions
from .recalling import OURS, Remembered, Variant, ablations
from .statistics import Progress

READERS = {"locomo": read_locomo, "longmemeval": read_longmemeval}
BASE_PROTOCOL = {
    "session.recall_all@k": "1 if every gold session is among the first k",
    "session.ndcg@k": "gain 1/log2(rank + 1); ndcg_memgas has the older form, 1 at ranks 1 and 2",
    "turn.recall@k": "share of the gold turns; recall_near counts a neighbour of a gold turn too",
    "update.newest_first": "a newest evidence turn above every older one, where the question asks "
    "how things are; update.past_first the reverse, where it asks how they were",
    "full": "everything in the order it was said; its context keeps the newest that fit",
    "differences": "paired by question, 95 % interval by a bootstrap over whole clusters",
}


@dataclass(frozen=True)
class Step:
    """Something a watcher of the run may show; ``done`` counts the questions of earlier calls."""

    done: int
    planned: int
    note: str = ""


Watcher = Callable[[Step], None]


def run_dialogue(
    spec: DialogueSpec, *, model: ChatModel | None = None, watch: Watcher | None = None
) -> DialogueSummary:
    """Ask every question that the run folder lacks, then write its summary and report.

    ``model`` answers in place of the one that the spec names. Raises ``DataMissing`` for a file
    that is not the benchmark's, ``SettingsError`` if the folder holds another run; on any error the
    questions asked so far stay, and Ctrl-C still writes their summary.
    """
    tell = watch or _silent
    data = READERS[spec.benchmark](spec.data)
    facts = _facts(spec, data)
    data = data.limited(spec.limit)
    if spec.model != "none":
        model = model or open_model(spec.model)
    embedder = open_embedder(spec.embedder)
    header = _header(spec, data, facts, embedder, model)
    examiner = _Examiner(spec, data, embedder, model)
    with open_dialogue(spec.out, header) as folder:
        stopped: BaseException | None = None
        try:
            for talk in data.conversations:
                examiner.ask_all(talk, folder, tell)
        except BaseException as error:
            stopped = error
        summary = _conclude(header, folder.lines, spec.out, data.questions, stopped)
        if stopped is not None:
            raise stopped
    return summary


def rebuild_dialogue(out: Path) -> DialogueSummary:
    """Write the summary and the report of a run folder again from its lines."""
    header, lines = read_run(out)
    return _conclude(header, lines, out, len(lines), None)


class _Examiner:
    """Asks the questions of one conversation after the other."""

    def __init__(
        self, spec: DialogueSpec, data: DialogueData, embedder: Embedder, model: ChatModel | None
    ) -> None:
        self._spec = spec
        self._data = data
        self._embedder = embedder
        self._run = spec.run_id(data.sha256)
        # The data's hash keeps conversations apart from those of another file in one memory.
        self._owner = f"{data.name}-{data.sha256[:8]}"
        self._reader = Reader(model, spec.benchmark, spec.seed) if model else None
        self._judge = open_model(spec.judge) if spec.judge and model else None
        self._variants: list[Variant] = [OURS, *(ablations() if spec.ablations else [])]

    def ask_all(self, talk: Conversation, folder: DialogueFolder, tell: Watcher) -> None:
        """Ask what the folder lacks of a conversation's questions."""
        seen = {line.id for line in folder.lines}
        waiting = [question for question in talk.questions if question.id not in seen]
        planned = self._data.questions
        if not waiting:
            tell(Step(len(folder.lines), planned))
            return
        tell(Step(len(folder.lines), planned, note=f"writing {talk.id}: {len(talk.turns)} turns"))
        # A memory for each conversation alone, so that hundreds of haystacks do not pile up.
        with Memory.open(self._spec.memory, embedder=self._embedder) as memory:
            exam = Exam(
                Remembered(memory, talk, owner=self._owner),
                talk,
                self._data,
                count=self._reader.model.count_tokens if self._reader else estimated_tokens,
                budget=self._spec.budget,
            )
            for question in waiting:
                folder.append(self._ask(exam, question))
                tell(Step(len(folder.lines), planned))

    def _ask(self, exam: Exam, question: Question) -> QuestionLine:
        began = time.perf_counter()
        recalled = exam.remembered.recall(question)
        seconds = time.perf_counter() - began
        found = exam.found(question, recalled, self._variants)
        answers: dict[str, Answer] = {}
        if self._reader is not None:
            room = self._reader.room(question.text)
            for row, block in exam.blocks(recalled, found, room).items():
                answer = self._reader.answer(question.text, question.asked, block)
                answers[row] = scored(answer, question, self._spec.benchmark)
        if self._judge is not None:
            answers = {row: judged(one, question, self._judge) for row, one in answers.items()}
        return QuestionLine(
            run=self._run,
            id=question.id,
            conversation=exam.talk.id,
            category=question.category,
            question=question.text,
            answerable=question.answerable,
            ranks={name: exam.gold_ranks(question, one, name) for name, one in found.items()},
            top={name: exam.top(found[name]) for name in ("ours", "bm25")},
            verdict=recalled.verdict,
            answers=answers,
            seconds=round(seconds, 6),
        )


def estimated_tokens(text: str) -> int:
    """A token is about four characters of English."""
    return (len(text) + 3) // 4


def _conclude(
    header: DialogueHeader,
    lines: list[QuestionLine],
    out: Path,
    planned: int,
    stopped: BaseException | None,
) -> DialogueSummary:
    failed = sum(answer.error is not None for x in lines for answer in x.answers.values())
    done = len(lines) == planned
    progress = Progress(
        id=header.run,
        status="interrupted" if stopped or not done else "partial" if failed else "complete",
        reason=_reason(stopped, failed),
        done=len(lines),
        planned=planned,
    )
    summary = summarise(header, lines, progress, out)
    write_atomic(out / "summary.json", summary.model_dump_json(indent=2))
    write_dialogue_report(out / "report.html", header, summary)
    return summary


def _reason(stopped: BaseException | None, failed: int) -> str:
    if isinstance(stopped, KeyboardInterrupt):
        return "interrupted"
    if stopped is not None:
        return f"{type(stopped).__name__}: {stopped}"
    return f"{failed} answers failed and count as 0" if failed else ""


def _facts(spec: DialogueSpec, data: DialogueData) -> DataFacts:
    if spec.judge and spec.model == "none":
        raise SettingsError("--judge judges answers, and without --model there are none")
    return DataFacts(
        file=spec.data.name,
        sha256=data.sha256,
        conversations=len(data.conversations),
        questions=data.questions,
        turns=sum(len(talk.turns) for talk in data.conversations),
        categories=dict(data.categories),
        cluster=data.cluster,
        repairs=data.repairs,
    )


def _header(
    spec: DialogueSpec,
    data: DialogueData,
    facts: DataFacts,
    embedder: Embedder,
    model: ChatModel | None,
) -> DialogueHeader:
    return DialogueHeader(
        run=spec.run_id(data.sha256),
        settings=spec.settings(),
        data=facts,
        protocol={
            **data.protocol,
            **BASE_PROTOCOL,
            "unit": "sessions and turns" if data.unit == "turn" else "turns of a pool",
            "clusters": data.cluster,
            "questions": f"{data.questions} of {facts.questions}",
            "data": f"{facts.file}, sha256 {data.sha256[:16]}",
            "embedder": embedder.id,
            "seed": str(spec.seed),
        },
        embedder=embedder.id,
        model=model.id if model else "none",
        versions=versions(),
        machine=machine(),
    )


def _silent(step: Step) -> None:
    """Show nothing."""
