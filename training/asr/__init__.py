"""Recognisers of words made and adapted here: `python -m training asr`."""
