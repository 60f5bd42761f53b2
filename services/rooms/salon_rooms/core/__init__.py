"""The rules of rooms, without time, chance or I/O: what a command does to a room, where it is placed, who is still there."""
