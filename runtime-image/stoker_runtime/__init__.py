"""What runs inside a replica. It knows nothing of the operator."""
