"""The page “Memory gym”: plain RNN, GRU and LSTM learn tasks that need memory, side by side."""
