"""The head that names sounds: its data, training, thresholds, and sounds of one's own."""
