"""One room as it runs."""
