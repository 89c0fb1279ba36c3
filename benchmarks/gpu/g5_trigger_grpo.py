"""G5: the trigger under prices of insertion, against points at random at the same rate.

python benchmarks/gpu/g5_trigger_grpo.py
"""

from __future__ import annotations

from reasoner import SMOKE, options, reasoner, report

from reverie.agent.latent.training.experiment import RuleSettings, reinforce_trigger, run_rules

given = options(__doc__, steps=60)


def run() -> dict[str, float]:
    """Rates of insertion and what is right, by price."""
    size = SMOKE if given.tiny else {}
    settings = RuleSettings.model_validate({"seed": given.seed, **size})
    found, arms, world = run_rules(reasoner(given), settings, ("vanilla", "weaver"))
    prices = (0.0, 0.05, 0.2, 0.8)
    for price, rates in reinforce_trigger(arms["weaver"].net, world, prices, given.steps).items():
        found |= {f"{key}.penalty{price:g}": value for key, value in rates.items()}
    return found


report("g5_trigger_grpo", run)
