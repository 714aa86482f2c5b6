"""Later work: the table of tasks and the loop that runs them."""
