"""Which concepts a description finds: by words, by meaning, by both, and with the type graph.

    python benchmarks/concepts_select.py [--puzzles N] [--quick] [--json]

The library and the puzzles are made here, from a seed, with nothing of any evaluation set. A
library holds structures, manipulations with typed parameters, and for each higher-order type
(criteria, schemes, orders …) several helper routines. A puzzle takes a structure or two and a
manipulation or two, and a helper for each of their higher-order parameters: those are its gold. Its
description tells what is seen, in the library's word, the word of its cues or one that stands
nowhere, each as often, and says nothing of the helpers. So the share of gold that no search by text
can find is part of the construction (`helper_share`): recall is told for named concepts and for
helpers apart, and `named_types_minus_sentences` says what the helpers cost the named.

Every manipulation has its usual helpers (the n-th of its ranking is taken with weight 1/n), and 160
earlier puzzles say so in ``used_in``. `hybrid_types_unused` is the same without that history.
`sentences` is the hybrid search over the whole description and its sentences, without types.

Recall is the mean over puzzles of the share of gold in the first k, with a bootstrap interval over
puzzles; the difference to search by words is paired. Latency is measured at 10,000 concepts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from reverie.benchmarks.machine import print_json, print_table
from reverie.memory.concept_shortlist import shortlist
from reverie.memory.concepts import ConceptMemory, Draft
from reverie.memory.memory import Memory
from reverie.memory.records import ConceptParameter, ConceptPayload, Scope
from reverie.memory.search import FusionWeights

KS = (5, 10, 20)
WRITES = 20
"""Writes of one concept that are timed."""
WAYS = ("lexical", "dense", "hybrid", "sentences", "hybrid_types")
SCOPE = Scope(user="puzzles")
Floats = NDArray[np.float64]
Finder = Callable[[str], list[str]]

# Each word of the library, and how people say it who do not know the library.
ACTIONS = {
    "slide": ("pushed along", "travels"),
    "recolor": ("painted differently", "gets another hue"),
    "reflect": ("mirrored", "flipped over"),
    "scale": ("enlarged", "blown up"),
    "rotate": ("turned around", "spun"),
    "erase": ("vanishes", "is taken away"),
    "copy": ("duplicated", "appears again elsewhere"),
    "fill": ("flooded", "made solid"),
    "connect": ("joined up", "linked"),
    "sort": ("put in order", "arranged"),
    "crop": ("cut out", "only a part remains"),
    "outline": ("gets a border", "is framed"),
    "stack": ("piled up", "set on top of each other"),
    "extend": ("prolonged", "grows longer"),
    "split": ("divided", "broken apart"),
    "align": ("lined up", "brought level"),
    "swap": ("exchanged", "trade places"),
    "repeat": ("tiled", "occurs over and over"),
}
THINGS = {
    "object": ("shape", "figure"),
    "line": ("stroke", "bar"),
    "region": ("area", "zone"),
    "hole": ("gap", "hollow"),
    "corner": ("vertex", "angle"),
    "pattern": ("motif", "texture"),
    "row": ("horizontal strip", "level"),
    "column": ("vertical strip", "pillar"),
    "frame": ("border", "ring"),
    "pixel": ("dot", "single cell"),
    "path": ("trail", "route"),
    "tile": ("block", "patch"),
    "diagonal": ("slanted stroke", "oblique bar"),
    "cluster": ("group", "bunch"),
}
HIGHER = (
    ("stopping criteria", "Callable[[object, grid], bool]"),
    ("selection criteria", "Callable[[object], bool]"),
    ("color scheme", "Callable[[object], color]"),
    ("splitting scheme", "Callable[[grid], list[grid]]"),
    ("sorting order", "Callable[[object], int]"),
    ("placement rule", "Callable[[object, grid], position]"),
    ("symmetry", "Callable[[position], position]"),
    ("growth rule", "Callable[[int], int]"),
    ("overlay rule", "Callable[[color, color], color]"),
    ("distance measure", "Callable[[position, position], int]"),
    ("neighbourhood", "Callable[[position], list[position]]"),
    ("matching test", "Callable[[object, object], bool]"),
)
HELPED = (
    "largest", "smallest", "touching the edge", "enclosed", "rarest", "first met", "nearest",
    "farthest", "even", "odd", "densest", "leftmost", "topmost", "balanced", "unique", "majority",
    "alternating", "fixed", "inherited", "cyclic",
)  # fmt: skip
PAST = 160
"""Solved puzzles that the library was abstracted from, as many as ArcMemo's."""

MOVES = 58
"""As many manipulations as ArcMemo's memory of 160 solved puzzles holds, of about 270 concepts."""

SCENES = ("In every example", "Each time", "Looking at the pairs", "From input to output")


@dataclass(frozen=True)
class Asked:
    """A puzzle's description, the concepts that its text is about, and the helpers it needs."""

    text: str
    named: tuple[str, ...]
    helpers: tuple[str, ...]

    @property
    def gold(self) -> tuple[str, ...]:
        """All that should be found."""
        return (*self.named, *self.helpers)


@dataclass(frozen=True)
class World:
    """A library, and puzzles over it."""

    concepts: list[ConceptPayload]
    puzzles: list[Asked]


def world(puzzles: int, seed: int, *, size: int = 0) -> World:
    """A library (at least ``size`` concepts, filled up with distractors) and its puzzles."""
    draw = Random(seed)
    helpers = {name: _helpers(name, draw) for name, _ in HIGHER}
    names = [(action, thing) for action in ACTIONS for thing in THINGS]
    draw.shuffle(names)
    moves = {f"{action} {thing}": _move(action, thing, draw) for action, thing in names[:MOVES]}
    sights = {f"{thing} field": _sight(thing) for thing in THINGS}
    library = [
        *moves.values(),
        *sights.values(),
        *(one for many in helpers.values() for one in many),
    ]
    library += [_distractor(number, draw) for number in range(max(60, size - len(library)))]
    draw.shuffle(library)
    usual = {
        (move, name): draw.sample(many, len(many))
        for move in moves
        for name, many in helpers.items()
    }
    made = [_puzzle(moves, sights, usual, draw) for _ in range(PAST + puzzles)]
    used: dict[str, list[str]] = {}
    for number, one in enumerate(made[:PAST]):
        for title in one.gold:
            used.setdefault(title, []).append(f"past {number}")
    kept = [one.model_copy(update={"used_in": tuple(used.get(one.title, ()))}) for one in library]
    return World(kept, made[PAST:])


def _move(action: str, thing: str, draw: Random) -> ConceptPayload:
    """A manipulation with one or two parameters of a higher order."""
    chosen = draw.sample(HIGHER, draw.choice((1, 1, 2)))
    parameters = [ConceptParameter(name=thing, typing="object" if thing != "region" else "grid")]
    parameters += [
        ConceptParameter(name=name, typing=f"{name} := {typing}") for name, typing in chosen
    ]
    return ConceptPayload(
        title=f"{action} {thing}",
        role="routine",
        subtype="grid manipulation",
        body=f"{action} a {thing} of the grid",
        output_type="grid | object",
        parameters=tuple(parameters),
        cues=(f"a {THINGS[thing][0]} of the input is {ACTIONS[action][0]} in the output",),
    )


def _sight(thing: str) -> ConceptPayload:
    return ConceptPayload(
        title=f"{thing} field",
        role="structure",
        body=f"a grid in which every {thing} stands by itself on the background",
        cues=(f"the input shows more than one {THINGS[thing][0]}",),
    )


def _helpers(name: str, draw: Random) -> list[ConceptPayload]:
    """Four to seven routines that are values of a higher-order type."""
    signature = dict(HIGHER)[name]
    inside, _, result = signature.removeprefix("Callable[[").removesuffix("]").partition("], ")
    takes = [one.strip() for one in inside.split(",")]
    return [
        ConceptPayload(
            title=f"{how} {name}",
            role="routine",
            subtype=name,
            body=f"decides by what is {how}",
            output_type=result,
            parameters=tuple(
                ConceptParameter(name=f"{one} {place}", typing=one)
                for place, one in enumerate(takes, start=1)
            ),
        )
        for how in draw.sample(HELPED, draw.randint(4, 7))
    ]


def _distractor(number: int, draw: Random) -> ConceptPayload:
    """A concept that no puzzle needs, in the same words."""
    action, thing = draw.choice([*ACTIONS]), draw.choice([*THINGS])
    other = draw.choice([*THINGS])
    return ConceptPayload(
        title=f"{action} {thing} by {other} {number}",
        role="routine",
        subtype="intermediate",
        body=f"work out how to {action} each {thing} that belongs to a {other}",
        output_type=draw.choice(("int", "list[object]", "position", "direction", "bool")),
        parameters=(ConceptParameter(name=thing, typing="object"),),
        cues=(f"{other} and {thing} differ in number",),
    )


def _puzzle(
    moves: dict[str, ConceptPayload],
    sights: dict[str, ConceptPayload],
    usual: dict[tuple[str, str], list[ConceptPayload]],
    draw: Random,
) -> Asked:
    done = draw.sample([*moves], draw.choice((1, 2)))
    seen = draw.sample([*sights], draw.choice((1, 2)))
    needed: list[str] = []
    for name in done:
        for parameter in moves[name].parameters[1:]:
            fit = usual[name, parameter.name]
            (helper,) = draw.choices(fit, [1 / place for place in range(1, len(fit) + 1)])
            needed.append(helper.title)
    parts = [
        f"{draw.choice(SCENES)} there is {_word(THINGS, one.split()[0], draw)}" for one in seen
    ]
    for name in done:
        action, thing = name.split()
        said = _word(ACTIONS, action, draw)
        parts.append(f"the {_word(THINGS, thing, draw)} is {said} in the output")
    return Asked(". ".join(parts), (*seen, *done), tuple(dict.fromkeys(needed)))


def _word(words: dict[str, tuple[str, str]], word: str, draw: Random) -> str:
    """The library's word, the one its cues use, or one that it has nowhere."""
    return draw.choice((word, *words[word]))


def finders(concepts: ConceptMemory) -> dict[str, Finder]:
    """The ways to find, by name."""

    def searched(weights: FusionWeights | None) -> Finder:
        return lambda text: [
            one.concept.title for one in concepts.search(text, k=max(KS), weights=weights)
        ]

    return {
        "lexical": searched(FusionWeights(dense=0.0, lexical=1.0)),
        "dense": searched(FusionWeights(dense=1.0, lexical=0.0)),
        "hybrid": searched(None),
        "sentences": lambda text: [
            one.concept.title for one in shortlist(concepts, text, k=max(KS), expansion=None)
        ],
        "hybrid_types": lambda text: [
            one.concept.title for one in shortlist(concepts, text, k=max(KS))
        ],
    }


def measure(puzzles: Sequence[Asked], find: Finder) -> dict[str, Floats]:
    """Recall by puzzle: of all gold, of the named and of the helpers, at each k."""
    values: dict[str, list[float]] = {}
    for one in puzzles:
        found = find(one.text)
        for k in KS:
            first = set(found[:k])
            for part, gold in (("all", one.gold), ("named", one.named), ("helpers", one.helpers)):
                share = sum(name in first for name in gold) / len(gold)
                values.setdefault(f"{part}@{k}", []).append(share)
    return {name: np.array(column) for name, column in values.items()}


def interval(values: Floats, seed: int = 0, rounds: int = 2_000) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean over puzzles."""
    draws = np.random.default_rng(seed).integers(0, len(values), (rounds, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def quality(puzzles: int, seed: int, embedder: str) -> dict[str, float]:
    """Every recall with its interval, and the paired differences to search by words."""
    made = world(puzzles, seed)
    figures: dict[str, float] = {"concepts": len(made.concepts), "puzzles": len(made.puzzles)}
    golds = [(len(one.helpers), len(one.gold)) for one in made.puzzles]
    figures["helper_share"] = sum(h for h, _ in golds) / sum(g for _, g in golds)
    with Memory.open(embedder=embedder) as memory:
        concepts = ConceptMemory(memory, SCOPE)
        concepts.write([Draft(one) for one in made.concepts])
        results = {name: measure(made.puzzles, find) for name, find in finders(concepts).items()}
    with Memory.open(embedder=embedder) as memory:
        concepts = ConceptMemory(memory, SCOPE)
        fresh = [one.model_copy(update={"used_in": ()}) for one in made.concepts]
        concepts.write([Draft(one) for one in fresh])
        find = finders(concepts)["hybrid_types"]
        results["hybrid_types_unused"] = measure(made.puzzles, find)
    for name, columns in results.items():
        for part, values in columns.items():
            figures[f"{name}_{part}"] = float(values.mean())
            if part.startswith("all"):
                figures[f"{name}_{part}_low"], figures[f"{name}_{part}_high"] = interval(values)
    for k in KS:
        gain = results["hybrid_types"][f"all@{k}"] - results["lexical"][f"all@{k}"]
        figures[f"types_minus_lexical@{k}"] = float(gain.mean())
        low, high = interval(gain)
        figures[f"types_minus_lexical@{k}_low"] = low
        figures[f"types_minus_lexical@{k}_high"] = high
        named = results["hybrid_types"][f"named@{k}"] - results["sentences"][f"named@{k}"]
        figures[f"named_types_minus_sentences@{k}"] = float(named.mean())
    return figures


def latency(size: int, queries: int, seed: int, embedder: str) -> dict[str, float]:
    """Milliseconds of a search and of a shortlist among ``size`` concepts, once both are warm."""
    made = world(queries, seed, size=size)
    figures: dict[str, float] = {"latency_concepts": len(made.concepts)}
    with Memory.open(embedder=embedder) as memory:
        concepts = ConceptMemory(memory, SCOPE)
        began = time.perf_counter()
        for start in range(0, len(made.concepts), 1_000):
            concepts.write([Draft(one) for one in made.concepts[start : start + 1_000]])
        figures["write_ms_a_concept"] = 1e3 * (time.perf_counter() - began) / len(made.concepts)
        began = time.perf_counter()
        shortlist(concepts, made.puzzles[0].text)
        figures["first_shortlist_ms"] = 1e3 * (time.perf_counter() - began)
        ways: dict[str, Callable[[str], object]] = {
            "search": lambda text: concepts.search(text, k=40),
            "shortlist": lambda text: shortlist(concepts, text, k=40),
        }
        for name, find in ways.items():
            taken: list[float] = []
            for one in made.puzzles[1:]:
                began = time.perf_counter()
                find(one.text)
                taken.append(1e3 * (time.perf_counter() - began))
            for share in (50, 95):
                figures[f"{name}_p{share}_ms"] = float(np.percentile(taken, share))
        figures |= _writes(concepts, made)
    return figures


def _writes(concepts: ConceptMemory, made: World) -> dict[str, float]:
    """Milliseconds of one write of one concept, half of them new, and of a shortlist after it."""
    taken: dict[str, list[float]] = {"one_write": [], "shortlist_after_write": []}
    for number, one in enumerate(made.puzzles[:WRITES]):
        held = made.concepts[number]
        title = f"{held.title} anew" if number % 2 else held.title
        draft = Draft(held.model_copy(update={"title": title}), puzzle=f"written {number}")
        began = time.perf_counter()
        concepts.write(draft)
        concepts.snapshot()
        taken["one_write"].append(1e3 * (time.perf_counter() - began))
        began = time.perf_counter()
        shortlist(concepts, one.text, k=40)
        taken["shortlist_after_write"].append(1e3 * (time.perf_counter() - began))
    return {f"{name}_p50_ms": float(np.median(values)) for name, values in taken.items()}


def show(figures: dict[str, float]) -> None:
    """The tables, as a person reads them."""
    rows = [
        [
            name,
            *(
                f"{100 * figures[f'{name}_all@{k}']:.1f} "
                f"[{100 * figures[f'{name}_all@{k}_low']:.1f}, "
                f"{100 * figures[f'{name}_all@{k}_high']:.1f}]"
                for k in KS
            ),
            f"{100 * figures[f'{name}_named@10']:.1f}",
            f"{100 * figures[f'{name}_helpers@10']:.1f}",
        ]
        for name in (*WAYS, "hybrid_types_unused")
    ]
    columns = ["found by", *(f"recall@{k}" for k in KS), "named@10", "helpers@10"]
    print_table(
        f"{figures['puzzles']:.0f} puzzles, {figures['concepts']:.0f} concepts", columns, rows
    )
    rest = [[name, f"{value:.4g}"] for name, value in figures.items() if _tells(name)]
    print_table("the rest", ["figure", "value"], rest)


def _tells(name: str) -> bool:
    return name.endswith("_ms") or "minus" in name or name in ("helper_share", "latency_concepts")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--puzzles", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--embedder", default="default")
    parser.add_argument("--quick", action="store_true", help="150 puzzles; hashed vectors at 10k")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    puzzles = 150 if options.quick else options.puzzles
    figures = quality(puzzles, options.seed, options.embedder)
    fast = "hashing:384" if options.quick else options.embedder
    figures |= latency(10_000, 100 if options.quick else 300, options.seed + 1, fast)
    if options.json:
        print_json("concepts_select", figures)
    else:
        show(figures)


if __name__ == "__main__":
    main()
