"""Frames of sound in, caption events out."""
