"""The only place that touches what is private or unstable in Keras: one function in each file."""
