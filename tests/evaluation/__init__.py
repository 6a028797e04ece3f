"""An evaluation of learning: simulated writers in seven languages, hand-made deltas, edits of machine text.

Every simulated writer has a seed, texts of its own and habits that are followed in most edits and not in all, beside
typo repairs, corrected facts and exchanged words. What a careful reader would conclude is known, because the habits
are. `python -m tests.evaluation` (`make eval`) prints how often learning concludes the same.
"""
