"""What arrived? Returns, survey exports, lists, corrections: read, checked, refused or accepted."""
