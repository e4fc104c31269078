"""What was declared and what was measured: frozen dataclasses, standard library only, no input or output."""
