"""What leads a reader through the pages: questions with a guess, and links to a spot."""
