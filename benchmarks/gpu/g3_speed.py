"""G3: tokens a second of plain decoding, kept-cache insertion and re-prefilling, B up to 64.

python benchmarks/gpu/g3_speed.py
"""

from __future__ import annotations

import torch
from reasoner import options, report

from reverie.agent.latent.backbone import Backbone, tiny_backbone
from reverie.benchmarks.latent_speed import speed

given = options(__doc__)


def run() -> dict[str, float]:
    """Every size, and the peak of memory over all of them."""
    dim, layers = (64, 2) if given.tiny else (768, 12)
    made = tiny_backbone(
        vocabulary=8192, context_tokens=2048, dim=dim, layers=layers, heads=dim // 64
    )
    backbone = Backbone(made.model.to(given.device), None, made.source)
    rows = (1,) if given.tiny else (1, 8, 64)
    found = speed(backbone, [(b, n) for b in rows for n in (256, 1024)], 1)
    if given.device == "cuda":
        found["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return found


report("g3_speed", run)
