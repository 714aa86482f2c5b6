"""What the engine makes, listened to and looked at."""
