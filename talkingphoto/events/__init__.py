"""What a Stripe event means: look at Stripe, then say what to write."""
