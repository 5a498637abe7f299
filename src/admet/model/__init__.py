"""Networks, and the measurement of which tasks should share one."""
