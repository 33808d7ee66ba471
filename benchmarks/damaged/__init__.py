"""Random damage to uploads, and what becomes of them; see `damage.py`."""
