"""The pages “Question tags” and “Movie reviews”: one text, its answer, and a closer look at the network."""
