"""What a config may say, how it is read, and what is wrong with it."""
