"""Live classes on the pages: what joins browsers to a class, the bar above each page, the lecturer's controls."""
