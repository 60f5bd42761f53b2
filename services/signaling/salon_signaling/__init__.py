"""The public API: joining, resuming, event streams, and the calls of those who are in. Keeps no state that matters."""
