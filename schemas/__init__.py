"""What travels and what is stored: the job, the style delta, the style profile, the dead letter.

This package imports nothing of ``service`` and does no I/O.
"""
