"""Training and judging of the emotion network."""
