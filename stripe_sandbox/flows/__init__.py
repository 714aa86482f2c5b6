"""What happens between objects: paying, completing a checkout, renewing, and later work."""
