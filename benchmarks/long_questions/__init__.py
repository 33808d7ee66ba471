"""Which cell of the family is right about long questions."""
