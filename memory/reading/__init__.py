"""Reading: from what people write to what they state, by rule."""
