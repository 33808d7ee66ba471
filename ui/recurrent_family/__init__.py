"""The page “Recurrent family”: RNN, GRU, LSTM, bidirectional, encoder–decoder and recursive networks."""
