"""Lessons: short trainings that run while somebody watches, on data of the lab or their own."""
