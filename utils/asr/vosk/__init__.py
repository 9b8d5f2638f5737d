"""Vosk: Korean without a network."""
