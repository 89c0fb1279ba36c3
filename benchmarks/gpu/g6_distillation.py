"""G6: how much of a recalled text's gain latents woven from it keep, at a tenth of its tokens.

python benchmarks/gpu/g6_distillation.py
"""

from __future__ import annotations

from reasoner import options, reasoner, report

from reverie.agent.latent.training.distillation import DistillSettings, run_distillation

given = options(__doc__)
size = (
    {"steps": 20, "tests": 16}
    if given.tiny
    else {"batch": 128, "rate": 1e-3, "rank": 16, "steps": 1500}
)
settings = DistillSettings.model_validate({"seed": given.seed, **size})
report("g6_distillation", lambda: run_distillation(reasoner(given), settings))
