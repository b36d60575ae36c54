"""The executable law of AWS's policy evaluation: literal, slow, and independent of the engine.

Read `spec/README.md` for the list of rules. Nothing here imports anything of ours.
"""
