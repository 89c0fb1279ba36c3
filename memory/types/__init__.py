"""A small language of types, in which concepts say what they take and what they give."""
