"""Pure parts of signaling: rules and state machines that are given `now` and return what to do.

May import the standard library, `salon_common.{ids,errors,clock}` and the generated messages (as plain data).
"""
