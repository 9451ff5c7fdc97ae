"""How and when it runs: start reading at ``definitions.py``."""
