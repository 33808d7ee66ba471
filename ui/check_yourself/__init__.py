"""The page “Check yourself”: twelve questions, each answered by an experiment."""
