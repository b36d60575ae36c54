"""Every write to AWS: plan → approve → apply → verify → undo.

An *aspect* is one setting of one resource: how it is read, and the calls that take it from one value to another. An
*action* is a pure function from the values that stand to those that should. So undoing is the same as applying, with
the two values exchanged.
"""
