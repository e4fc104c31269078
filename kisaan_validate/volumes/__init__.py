"""Whether the volume of a night is as that of the nights before it. Pure, in exact numbers."""
