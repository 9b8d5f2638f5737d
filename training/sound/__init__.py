"""Clips as features: varied, disturbed, cached."""
