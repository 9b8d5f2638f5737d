"""The search for settings of a network, with Optuna."""
