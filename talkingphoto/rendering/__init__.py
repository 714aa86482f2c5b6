"""How a video is made: an order checked, a job carried to its end, old files removed."""
