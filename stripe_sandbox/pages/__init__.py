"""The pages a payer sees; plain HTML that needs no script."""
