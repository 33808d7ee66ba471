"""Networks in memory, followed while Keras or PyTorch runs them."""
