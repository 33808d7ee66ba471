"""The page “Word order”: how a network reads the same words in another order."""
