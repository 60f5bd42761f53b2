"""What the client decides, without I/O: the room's state, slots, layouts, reconnecting, SDP order."""
