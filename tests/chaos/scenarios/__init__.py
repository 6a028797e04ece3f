"""The scenarios, a file each; found by ``tests.chaos.scenario.all_scenarios``."""
