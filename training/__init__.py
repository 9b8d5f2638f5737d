"""Training and evaluation of the emotion model: `python -m training`."""
