"""G4: what reinforcement adds to a weaver that was taught too little.

python benchmarks/gpu/g4_weaver_grpo.py
"""

from __future__ import annotations

from reasoner import SMOKE, options, reasoner, report

from reverie.agent.latent.training.experiment import RuleSettings, reinforce_weaver

given = options(__doc__, steps=200)
LARGE = {"ids": 100, "rank": 16, "batch": 128, "rate": 1e-3, "latents": 8, "steps": 250}
size = SMOKE if given.tiny else LARGE
settings = RuleSettings.model_validate({"seed": given.seed, **size})
report("g4_weaver_grpo", lambda: reinforce_weaver(reasoner(given), settings, given.steps))
