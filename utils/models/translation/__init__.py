"""Models that translate, looked through before anything reads them."""
