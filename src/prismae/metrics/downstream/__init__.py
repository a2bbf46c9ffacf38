"""What codes are good for afterwards: predicting factors from few labels, and fairly."""
