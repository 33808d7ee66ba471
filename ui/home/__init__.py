"""The page “Home”: the tour through the lab, with small live pictures."""
