"""The page "Operators": the numbers of all replicas, behind a key."""
