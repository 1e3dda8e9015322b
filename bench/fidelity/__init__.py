"""How well the simulator predicts a real engine: vLLM on the CPU, on the same arrivals."""
