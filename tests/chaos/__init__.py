"""Faults on purpose: scenarios that kill, freeze, cut and poison, and count what was lost or doubled.

``scenario`` is what a scenario is and where it registers; ``stage`` the servers it plays on, its jobs and its audit;
``worker`` the worker with switches for exact moments and mutants; ``report`` the table. Every module of ``scenarios``
is found by itself: to add a scenario, add a file there. ``python -m tests.chaos`` runs them.
"""
