"""Rules and records of money and credits, and the only writers of their tables."""
