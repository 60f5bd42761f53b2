"""The rules of a media node, without I/O: input and `now` go in, values and plans come out."""
