"""ARC-AGI: puzzles of coloured grids, solved with a memory of concepts or without.

``data`` reads the puzzles, ``scorer`` is the process that alone knows the hidden outputs, ``run``
plays the arms, ``memories`` keeps what they learn, ``pictures`` draws.
"""
