"""What the stages talk about, free of any SDK: facts as they were seen."""
