"""What words themselves say: the emotion of finished lines, beside how they were said."""
