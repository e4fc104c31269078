"""What a run means: verdict, waivers, coverage. Pure functions."""
