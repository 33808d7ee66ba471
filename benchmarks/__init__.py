"""Benchmarks: each prints ratios to a peer that is measured alternately on the same machine."""
