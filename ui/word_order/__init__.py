"""The page “Word order”: what a network makes of the same words in another order."""
