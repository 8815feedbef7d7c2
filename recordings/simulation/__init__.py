"""People who move an arm with an MPU6050 on it, simulated."""
