"""A few concepts, and a memory that holds them."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from reverie.memory.concepts import ConceptMemory, Draft
from reverie.memory.memory import Memory
from reverie.memory.records import ConceptParameter, ConceptPayload, Scope

ARC = Scope(user="arc")

STOP = "stopping criteria := Callable[[object, grid], bool]"

SLIDE = ConceptPayload(
    title="slide object",
    role="routine",
    subtype="grid manipulation",
    output_type="grid",
    parameters=(
        ConceptParameter(name="object", typing="object", description="what moves"),
        ConceptParameter(name="stop", typing=STOP, description="when it stops"),
    ),
    cues=("objects move until they touch something",),
    notes=("move by one cell until stop says so",),
)
COLLIDE = ConceptPayload(
    title="collision criteria",
    role="routine",
    subtype="stopping criteria",
    body="True when the object touches another.",
)
MIRROR = ConceptPayload(
    title="mirror",
    role="routine",
    subtype="grid manipulation",
    output_type="grid",
    cues=("colours keep their counts and objects flip left and right",),
    notes=("use slicing with a step of -1",),
)
DIVIDED = ConceptPayload(
    title="divided grid",
    role="structure",
    cues=("separator lines divide the input into panels",),
)
LESSON = ConceptPayload(
    title="Colours keep their counts",
    form="open",
    situation="Colours keep their counts, and every row is reversed",
    suggestion="Flip the grid left and right",
)


@contextmanager
def concept_memory(*payloads: ConceptPayload) -> Generator[ConceptMemory]:
    """A memory with these concepts, each from a puzzle of its own."""
    with Memory.open("ephemeral:", embedder="hashing:64") as memory:
        concepts = ConceptMemory(memory, ARC)
        drafts = [
            Draft(one, puzzle=f"old{place}", evidence="training pairs")
            for place, one in enumerate(payloads)
        ]
        if drafts:
            concepts.write(drafts)
        yield concepts


def id_of(concepts: ConceptMemory, name: str) -> str:
    """The id of a concept that is there."""
    found = concepts.find(name)
    assert found is not None
    return found.id
