"""The engine: blocks evaluated on threads into states that merge exactly."""
