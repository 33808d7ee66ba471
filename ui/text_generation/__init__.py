"""The page “Text generation”: a character model writes, and shows its memory."""
