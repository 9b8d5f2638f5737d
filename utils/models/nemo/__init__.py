"""A `.nemo` file, looked through before anything reads it."""
