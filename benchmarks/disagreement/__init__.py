"""A linear SVM beside the question network: `__main__` is the command, `features` finds what the SVM alone knows."""
