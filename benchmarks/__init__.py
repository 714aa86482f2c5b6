"""What the speed claims in the README rest on, each against a yardstick in the same run."""
