"""The web side: pages, events, and what keeps strangers from disturbing them."""
