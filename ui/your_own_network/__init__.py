"""The page “Your own network”: open a file, feed it, look at what its recurrent layers compute."""
