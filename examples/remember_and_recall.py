"""A memory on its own: write, find, correct, and see what a recall led to.

Run it with `python examples/remember_and_recall.py FOLDER`; without a folder the memory is gone
when the program ends. No language model, no key, no network.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from reverie import Kind, Memory, Origin, Record, Scope
from reverie.memory.records import FactPayload, UtterancePayload

ANN = Scope(user="ann")
SAID = Origin(source="user")


def said(text: str, turn: int) -> Record:
    """One thing that ann said."""
    return Record(
        id=f"talk/{turn}",
        scope=ANN,
        text=text,
        payload=UtterancePayload(speaker="ann", turn=turn),
        origin=SAID,
    )


def lives_in(city: str, since: datetime) -> Record:
    """Where ann lives, as a fact with a beginning."""
    payload = FactPayload(subject="ann", attribute="city", value=city, valid_from=since)
    return Record(
        id=f"city/{city}",
        scope=ANN,
        text=f"Ann lives in {city}.",
        payload=payload,
        origin=SAID,
    )


def main(url: str = "ephemeral:") -> None:
    """Remember, recall, correct."""
    with Memory.open(url) as memory:
        # Ids may be the caller's own: given again, the same record is written once.
        talk = [
            said("I can't eat peanuts, they make me ill.", 1),
            said("My sister Mia plays the cello.", 2),
            said("On Fridays I cycle to work.", 3),
        ]
        memory.add(talk)
        memory.add(talk)

        # Found by meaning and by words; the scope is required and nothing outside it is seen.
        best = memory.search("Which food must she avoid?", scope=ANN, k=1)[0]
        print(f"found: {best.record.text} ({best.record.id})")
        print(f"bob finds {len(memory.search('peanuts', scope=Scope(user='bob')))} records")

        # A newer fact takes the place of an older one, which stays in the history.
        old = lives_in("Bergen", datetime(2024, 5, 1, tzinfo=UTC))
        memory.add(old)
        memory.supersede(old.id, lives_in("Oslo", datetime(2026, 2, 1, tzinfo=UTC)))
        home = memory.search("Where does Ann live?", scope=ANN, kinds=(Kind.FACT,))
        print("now:", ", ".join(hit.record.text for hit in home))
        versions = memory.history(old.id, scope=ANN)
        print("before:", versions[0].record.text, "then", versions[-1].record.status)

        # A recall is logged with what was offered, and its reward is kept for the policies.
        recollection = memory.recall("a present for her sister", scope=ANN, k=1)
        memory.reward(recollection.id, 1.0)
        chosen = recollection.hits[0].record
        served = memory.utility([chosen.id], scope=ANN)[chosen.id]
        print(f"recalled: {chosen.text} (helped {served.reward_mean:.0%} of {served.chosen} times)")


if __name__ == "__main__":
    main(*sys.argv[1:2])
