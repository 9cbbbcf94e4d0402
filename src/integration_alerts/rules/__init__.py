"""The product's rules (SPEC R1 to R25) as pure functions: no Django, no clock, no I/O.

Read this package first. Every decision takes `now` and plain values and returns a value with a
named reason; the layers above only fetch the facts and carry the decision out.
"""
