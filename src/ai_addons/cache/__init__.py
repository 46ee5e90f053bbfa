"""The answer cache: masked, validated answers only, and a fault is a miss."""
