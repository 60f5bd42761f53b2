"""What a process tells of itself: metrics that every service has, and traces when they are configured."""
