"""Figures that the adapter has to reach, as ratios against a floor measured in the same run."""
