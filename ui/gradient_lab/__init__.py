"""The page “Gradient lab”: vanishing and exploding gradients, and what gates do to them."""
