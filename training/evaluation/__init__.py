"""How a checkpoint does on speech that it never heard: a corpus, or loose recordings."""
