"""What carries a stage out and writes down what happened."""
