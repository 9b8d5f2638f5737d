"""Model files, whatever engine hears with them: which there are, how they come, where they lie."""
