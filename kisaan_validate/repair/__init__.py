"""Fix kits: for a failing check of a recorded run, reviewed SQL files that repair it, and the way back."""
