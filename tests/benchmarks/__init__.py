"""What learnsvc costs and what it reaches, against floors and peers measured in the same run: ``make bench``.

A *row* (``rows/``) is one experiment: it starts what it needs in the ``Lab``, measures, and adds samples under names
such as ``throughput/one process``. Rows are run round by round, so that what is compared was measured side by side on
a machine in the same mood; ``results`` keeps the samples, ``targets`` says which ratios must be reached, ``table``
shows both. Nothing here is collected by pytest but ``test_bench.py``, which times nothing.
"""
