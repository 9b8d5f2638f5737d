"""Several rooms of one program: what they share, and what each has for itself."""
