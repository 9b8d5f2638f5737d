"""What the presenter mends: lines, and what the recogniser remembers of it."""
