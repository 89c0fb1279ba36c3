"""Dialogue memory on LoCoMo and LongMemEval, beside BM25 on the same questions.

    python benchmarks/dialogue.py [--locomo FILE] [--longmemeval FILE] [--embedder NAME]
                                  [--ablations] [--quick] [--json]

The same as ``reverie run locomo`` and ``reverie run longmemeval`` without a language model. Keys
are ``BENCHMARK.RANKER.METRIC`` and ``BENCHMARK.ours-bm25.METRIC``, in per cent. ``--quick`` asks
40 questions of each conversation.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reverie.benchmarks.machine import machine, print_json
from reverie.envs.dialogue_lines import Benchmark, DialogueSpec
from reverie.envs.dialogue_run import run_dialogue
from reverie.envs.dialogue_summary import DialogueSummary
from reverie.envs.dialogue_watch import dialogue_progress, show_dialogue

SHARED = Path(__file__).resolve().parents[2] / "shared/data"
LOCOMO = SHARED / "locomo/locomo-dev5.json"
LONGMEMEVAL = SHARED / "longmemeval/evidence-dev.json"
QUICK = 40


def measured(
    benchmark: Benchmark, data: Path, out: Path, options: argparse.Namespace
) -> DialogueSummary | None:
    """The summary of a retrieval run; None, and a word on why, where the data is not there."""
    if not data.is_file():
        print(f"skipped: {data} is not there. Point --{benchmark} at the file", file=sys.stderr)
        return None
    spec = DialogueSpec(
        benchmark=benchmark,
        data=data,
        out=out / benchmark,
        embedder=options.embedder,
        limit=QUICK if options.quick else None,
        ablations=options.ablations,
    )
    with dialogue_progress(quiet=False) as watch:
        return run_dialogue(spec, watch=watch)


def figures(benchmark: str, summary: DialogueSummary) -> dict[str, float]:
    """Every figure of a run, in per cent."""
    rankers = {"ours": summary.retrieval} | summary.baselines | summary.ablations
    found = {
        f"{benchmark}.{ranker}.{metric}": 100 * value
        for ranker, metrics in rankers.items()
        for metric, value in metrics.items()
    }
    for metric, delta in summary.deltas.get("ours-bm25", {}).items():
        key = f"{benchmark}.ours-bm25.{metric}"
        low, high = delta.ci
        found |= {key: 100 * delta.mean, f"{key}.low": 100 * low, f"{key}.high": 100 * high}
    if summary.abstention is not None:
        found[f"{benchmark}.abstention.auroc"] = 100 * summary.abstention.auroc
        found[f"{benchmark}.abstention.accuracy"] = 100 * summary.abstention.accuracy
    return found | {f"{benchmark}.recall_ms": summary.recall_ms}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print tables, or with ``--json`` one object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--locomo", type=Path, default=LOCOMO, help="a file in LoCoMo's format")
    parser.add_argument("--longmemeval", type=Path, default=LONGMEMEVAL, help="one of its files")
    parser.add_argument("--embedder")
    parser.add_argument("--ablations", action="store_true", help="also without each part")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} questions a conversation")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        files: list[tuple[Benchmark, Path]] = [
            ("locomo", options.locomo),
            ("longmemeval", options.longmemeval),
        ]
        for benchmark, data in files:
            summary = measured(benchmark, data, Path(folder), options)
            if summary is None:
                continue
            found |= figures(benchmark, summary)
            if not options.json:
                print(f"{benchmark} ({machine()})")
                show_dialogue(summary, as_json=False)
    if options.json:
        print_json("dialogue", found)


if __name__ == "__main__":
    main()
