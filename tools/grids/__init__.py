"""Coloured grids and what can be done with them: ARC's world."""
