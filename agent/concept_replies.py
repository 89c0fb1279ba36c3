"""What a model says of concepts, as it is asked to say it, and the payloads made of that."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..memory.records import ConceptParameter, ConceptPayload

MOST_CONCEPTS = 8
MOST_LESSONS = 4


class Stripped(BaseModel):
    """Strings lose the white space around them, so that an empty one is seen to be empty."""

    model_config = ConfigDict(str_strip_whitespace=True)


# A model reads the docstrings of these: they are part of the schema it is given.


class Sketch(Stripped):
    """A solution in general words."""

    pseudocode: str = Field(min_length=1, max_length=6_000)
    summary: str = Field(min_length=1, max_length=600)


class Sight(Stripped):
    """What is seen in a puzzle."""

    observations: str = Field(default="", max_length=3_000)
    summary: str = Field(min_length=1, max_length=1_000)
    speculation: str = Field(default="", max_length=1_500)


class WrittenParameter(Stripped):
    """What varies from puzzle to puzzle."""

    name: str = Field(min_length=1, max_length=80)
    type: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=400)


class WrittenConcept(Stripped):
    """A structure that is seen, or a routine."""

    known: int = Field(default=0, ge=0)
    name: str = Field(min_length=1, max_length=80)
    kind: Literal["structure", "routine"]
    subtype: str = Field(default="", max_length=80)
    parameters: list[WrittenParameter] = Field(default_factory=list[WrittenParameter], max_length=8)
    output_type: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=600)
    cues: list[str] = Field(default_factory=list[str], max_length=6)
    implementation: list[str] = Field(default_factory=list[str], max_length=6)

    def payload(self, puzzle: str, evidence: str) -> ConceptPayload:
        """As it is remembered, learnt from ``puzzle`` and admitted by ``evidence``."""
        takes = [
            ConceptParameter(
                name=_one(p.name), typing=_one(p.type), description=_one(p.description)
            )
            for p in self.parameters
        ]
        return ConceptPayload(
            title=_one(self.name),
            form="program",
            body=_one(self.description),
            role=self.kind,
            subtype=_one(self.subtype) if self.kind == "routine" else "",
            parameters=tuple(takes),
            output_type=_one(self.output_type),
            cues=_several(self.cues),
            notes=_several(self.implementation),
            used_in=(puzzle,),
            evidence=(evidence,),
        )


class Abstraction(Stripped):
    """Concepts in a solution."""

    concepts: list[WrittenConcept] = Field(min_length=1, max_length=MOST_CONCEPTS)


class WrittenLesson(Stripped):
    """When to try what."""

    known: int = Field(default=0, ge=0)
    situation: str = Field(min_length=1, max_length=1_000)
    suggestion: str = Field(min_length=1, max_length=1_000)

    def payload(self, title: str, puzzle: str, evidence: str) -> ConceptPayload:
        """As it is remembered; ``title`` tells it from other lessons."""
        return ConceptPayload(
            title=title,
            form="open",
            situation=_one(self.situation),
            suggestion=_one(self.suggestion),
            used_in=(puzzle,),
            evidence=(evidence,),
        )


class Lessons(Stripped):
    """What a solved puzzle teaches."""

    lessons: list[WrittenLesson] = Field(min_length=1, max_length=MOST_LESSONS)


class Misled(Stripped):
    """An idea that looked right and was wrong."""

    known: int = Field(ge=1)
    looked_like: str = Field(min_length=1, max_length=400)
    because: str = Field(min_length=1, max_length=400)

    @property
    def cue(self) -> str:
        """In one sentence."""
        seen, why = _one(self.looked_like).rstrip("."), _one(self.because).rstrip(".")
        return f"looked like it by: {seen}; was not, because: {why}"


class Contrast(Stripped):
    """The ideas that misled; none is an answer, too."""

    misled: list[Misled] = Field(default_factory=list[Misled], max_length=MOST_CONCEPTS)


def _one(text: str) -> str:
    """On one line: what is remembered cannot open a block of its own."""
    return " ".join(text.split())


def _several(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for text in texts if (line := _one(text)[:400])))
