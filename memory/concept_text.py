"""The text by which a concept is searched."""

from __future__ import annotations

from .records import ConceptPayload


def searched_text(payload: ConceptPayload) -> str:
    """Name, description and cues first: embedders read the beginning of a text best."""
    if payload.form == "open":
        said = [payload.situation or payload.title, payload.suggestion, payload.body]
    else:
        said = [payload.title, *payload.aliases, payload.body]
    takes = ", ".join(
        f"{one.name}: {one.typing}" if one.typing else one.name for one in payload.parameters
    )
    said += [*payload.cues]
    said += [
        f"takes {takes}" if takes else "",
        payload.output_type and f"gives {payload.output_type}",
    ]
    said += [payload.subtype, *payload.notes]
    return ". ".join(part.strip().rstrip(".") for part in said if part.strip()) or payload.title
