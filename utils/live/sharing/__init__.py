"""A room in Redis: what its readers are told, so that other computers can show it too."""
