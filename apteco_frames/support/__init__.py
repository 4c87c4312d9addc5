"""What all rooms need and no noun owns."""
