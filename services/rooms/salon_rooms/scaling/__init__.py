"""Tells Kubernetes which media pod to delete first: a process of its own, `python -m salon_rooms.scaling`.

It asks the rooms service like any operator, and is no part of it: without it Kubernetes deletes the newest pod first, and
its people are moved all the same.
"""
