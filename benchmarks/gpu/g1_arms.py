"""G1: all arms on a reasoner of 34 million weights that learns new ids.

python benchmarks/gpu/g1_arms.py
"""

from __future__ import annotations

from reasoner import SMOKE, options, reasoner, report

from reverie.agent.latent.training.experiment import RuleSettings, run_rules

given = options(__doc__)
LARGE = {"ids": 100, "rank": 16, "batch": 128, "rate": 1e-3, "latents": 8}
size = SMOKE if given.tiny else LARGE
settings = RuleSettings.model_validate({"seed": given.seed, "two_steps": 0.3, **size})
report("g1_arms", lambda: run_rules(reasoner(given), settings)[0])
