"""The all-in-one run: NATS, every service and the web app on one machine, started and stopped as one thing.

`Stack` is it; `salon run` is a thin command over it, and the tests of the whole project use the same class.
"""
