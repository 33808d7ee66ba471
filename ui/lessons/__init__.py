"""Lessons: walking through one on the real pages, writing one, and the handout."""
