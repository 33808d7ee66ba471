"""Side-by-side measurements: each prints ratios against a peer that ran in the same minutes on the same machine."""
