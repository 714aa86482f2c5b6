"""Who somebody is: users, sessions and what they agreed to."""
