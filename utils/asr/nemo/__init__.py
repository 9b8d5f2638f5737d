"""NVIDIA NeMo's models."""
