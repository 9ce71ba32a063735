"""What was measured? Scales and composites, absence and leaving, exposure."""
