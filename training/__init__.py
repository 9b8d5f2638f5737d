"""Training and evaluation of the emotion model: `python -m training`."""

import os

from utils.folders import cache_folder

# Matplotlib keeps a list of fonts, elsewhere in the user's home unless it is told.
os.environ.setdefault("MPLCONFIGDIR", str(cache_folder() / "matplotlib"))
