"""The guard: watches the server beside a run, and lets the run wait, go slower or give up by rule."""
