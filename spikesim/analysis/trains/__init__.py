"""What trains by themselves are like: intervals, bursts, how counts vary, how many dimensions."""
