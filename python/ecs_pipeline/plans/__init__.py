"""What a stage is going to do: plans read and refuse, and never write."""
