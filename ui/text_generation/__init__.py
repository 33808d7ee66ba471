"""The page “Text generation”: a character model writes, with its probabilities, gates and states."""
