"""What the worker shows of itself over HTTP: health, probes, metrics, a status page. Nothing here changes anything.

The server runs in a thread with an event loop of its own, so a worker whose loop is blocked is seen and does not take
its probes down with it. The two sides share one reference: ``watch`` runs in the worker's loop and publishes a frozen
``Snapshot`` every second; ``app`` reads the newest one. ``verdicts`` are pure functions of a snapshot and the time,
``page`` renders it, ``events`` sends it anew whenever it changed, ``server`` binds the port, starts the thread
and ends it.

uvicorn and Starlette are imported when a port is asked for, and not before.
"""
