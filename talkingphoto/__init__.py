"""TalkingPhoto: rules, vendors and records behind the services; importing it touches nothing."""
